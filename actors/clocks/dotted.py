"""Dotted version vectors: each sibling has a dot of its own, beside the context that its writer had seen.

The dot names the write itself, so two writes through one server stay apart, and the rest grows only with the servers
that coordinate writes of this key.

Source: Preguiça, Baquero, Almeida, Fonte, Gonçalves, "Dotted version vectors: efficient causality tracking for
distributed key-value stores", 2012, §4-5.
"""

from actors.clocks.content import Content, Writer
from actors.clocks.vector import NOTHING_SEEN, ActorId, Context, Dot, counter
from actors.message import Message


class DottedVersion(Message, frozen=True):
    """One sibling, its own event, and the events before it."""

    dot: Dot
    past: Context
    content: Content

    def knows(self, dot: Dot) -> bool:
        return dot == self.dot or self.past.covers(dot)


class DottedSiblings(Message, frozen=True):
    """Versions of which none is in another's past; sorted by dot."""

    versions: tuple[DottedVersion, ...] = ()

    @property
    def siblings(self) -> tuple[Content, ...]:
        return tuple(version.content for version in self.versions)

    @property
    def entries(self) -> int:
        return sum(1 + len(version.past.vector) + len(version.past.dots) for version in self.versions)

    def join(self) -> Context:
        """See `actors.clocks.Clock.join`."""
        context = NOTHING_SEEN
        for version in self.versions:
            context = context.join(version.past.plus(version.dot))
        return context

    def known(self, actor: ActorId) -> int:
        context = self.join()
        return max((n for known, n in context.dots if known == actor), default=counter(context.vector, actor))

    def sync(self, other: "DottedSiblings") -> "DottedSiblings":
        """All versions but those in the past of another one (§5.1)."""
        if self == other:
            return self
        mine = {version.dot: version for version in self.versions}
        theirs = {version.dot: version for version in other.versions}
        kept = [
            version for dot, version in mine.items() if dot in theirs or not any(v.knows(dot) for v in theirs.values())
        ]
        kept += [
            version
            for dot, version in theirs.items()
            if dot not in mine and not any(v.knows(dot) for v in mine.values())
        ]
        return DottedSiblings(tuple(sorted(kept, key=lambda version: version.dot)))


def update(clock: DottedSiblings, context: Context, content: Content, writer: Writer) -> tuple[DottedSiblings, Context]:
    """Drop what the client had seen, and add its write under the replica's next dot (§5.2)."""
    mine = [n for actor, n in context.dots if actor == writer.replica]
    n = max(clock.known(writer.replica), counter(context.vector, writer.replica), *mine, 0) + 1
    dot = (writer.replica, n)
    kept = [version for version in clock.versions if not context.covers(version.dot)]
    versions = sorted((*kept, DottedVersion(dot, context, content)), key=lambda version: version.dot)
    return DottedSiblings(tuple(versions)), context.plus(dot)
