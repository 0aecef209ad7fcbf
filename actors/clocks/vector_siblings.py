"""Version vectors, one a sibling, with an entry for each client or for each server that wrote.

By client they tell concurrent writes apart, but grow with every client that ever wrote. By server they stay small, and
lose: a server's counter can't say *which* of two writes through it a client had seen, so the second write by a client
that saw nothing takes the place of the first (zoo: a version vector a server in place of a dot).

Source: DeCandia and others, "Dynamo: Amazon's highly available key-value store", 2007, §4.4; Preguiça and others,
"Dotted version vectors: efficient causality tracking for distributed key-value stores", 2012, §3.
"""

from actors.clocks.content import Content, Writer, rank
from actors.clocks.vector import EMPTY, ActorId, Context, Vector, counter, descends, joined, raised
from actors.message import Message


class VectorVersion(Message, frozen=True):
    """One sibling and all that its writer is taken to have seen, itself included."""

    vector: Vector
    content: Content


class VectorSiblings(Message, frozen=True):
    """Versions of which none descends from another; sorted by vector."""

    versions: tuple[VectorVersion, ...] = ()

    @property
    def siblings(self) -> tuple[Content, ...]:
        return tuple(version.content for version in self.versions)

    @property
    def entries(self) -> int:
        return sum(len(version.vector) for version in self.versions)

    def join(self) -> Context:
        """See `actors.clocks.Clock.join`."""
        vector = EMPTY
        for version in self.versions:
            vector = joined(vector, version.vector)
        return Context(vector)

    def known(self, actor: ActorId) -> int:
        return max((counter(version.vector, actor) for version in self.versions), default=0)

    def sync(self, other: "VectorSiblings") -> "VectorSiblings":
        """All versions but those that another one descends from."""
        if self == other:
            return self
        best: dict[Vector, VectorVersion] = {}
        for version in (*self.versions, *other.versions):
            rival = best.get(version.vector)
            if rival is None or rank(version.content) > rank(rival.content):
                best[version.vector] = version  # two contents under one vector: an actor's counter was used twice
        kept = [
            version
            for vector, version in best.items()
            if not any(later != vector and descends(later, vector) for later in best)
        ]
        return VectorSiblings(tuple(sorted(kept, key=lambda version: version.vector)))


def update_by_client(
    clock: VectorSiblings, context: Context, content: Content, writer: Writer
) -> tuple[VectorSiblings, Context]:
    """A write counted by its client."""
    return _update(clock, context, content, writer.client)


def update_by_server(
    clock: VectorSiblings, context: Context, content: Content, writer: Writer
) -> tuple[VectorSiblings, Context]:
    """A write counted by the replica that coordinates it."""
    return _update(clock, context, content, writer.replica)


def _update(
    clock: VectorSiblings, context: Context, content: Content, actor: ActorId
) -> tuple[VectorSiblings, Context]:
    n = max(counter(context.vector, actor), clock.known(actor)) + 1
    vector = raised(context.vector, (actor, n))
    return clock.sync(VectorSiblings((VectorVersion(vector, content),))), Context(vector)
