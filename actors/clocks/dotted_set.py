"""The dotted version vector set: one vector for all siblings of a key.

An entry (actor, n, live) says that the actor's events 1..n are known, and that the last of them, as many as there
are live values, are siblings; all before are superseded. So a sibling costs no vector of its own. The price: of one
actor's siblings only the oldest can go first. A client that writes twice without reading between, while another's write
through the same server stands before its first one, leaves that first one behind as a sibling: kept, never lost.

Source: Almeida, Baquero, Gonçalves, Preguiça, Fonte, "Scalable and accurate causality tracking for eventually
consistent stores", 2014, §6 (compact sets).
"""

from actors.clocks.content import Content, Writer
from actors.clocks.vector import ActorId, Context, Vector
from actors.message import Message


class DottedEntry(Message, frozen=True):
    """All events of an actor up to n; the newest ones, `live`, are siblings (newest first)."""

    actor: ActorId
    n: int
    live: tuple[Content, ...] = ()

    @property
    def superseded(self) -> int:
        """The events up to this one are known and gone."""
        return self.n - len(self.live)

    def without(self, upto: int) -> "DottedEntry":
        """The entry once all events up to `upto` are superseded; it knows them then."""
        if upto >= self.n:
            return DottedEntry(self.actor, upto)
        return self if upto <= self.superseded else DottedEntry(self.actor, self.n, self.live[: self.n - upto])


class DottedSet(Message, frozen=True):
    """Entries sorted by actor."""

    actors: tuple[DottedEntry, ...] = ()

    @property
    def siblings(self) -> tuple[Content, ...]:
        return tuple(content for entry in self.actors for content in reversed(entry.live))

    @property
    def entries(self) -> int:
        return len(self.actors)

    def join(self) -> Context:
        """See `actors.clocks.Clock.join`."""
        return Context(tuple((entry.actor, entry.n) for entry in self.actors))

    def known(self, actor: ActorId) -> int:
        return next((entry.n for entry in self.actors if entry.actor == actor), 0)

    def sync(self, other: "DottedSet") -> "DottedSet":
        """By actor: the greater n; live is what neither side knows to be superseded."""
        if self == other:
            return self
        entries = {entry.actor: entry for entry in self.actors}
        for entry in other.actors:
            mine = entries.get(entry.actor)
            if mine is None:
                entries[entry.actor] = entry
                continue
            longer, shorter = (mine, entry) if mine.n >= entry.n else (entry, mine)
            entries[entry.actor] = longer.without(shorter.superseded)
        return DottedSet(tuple(entries[actor] for actor in sorted(entries)))


def update(clock: DottedSet, context: Context, content: Content, writer: Writer) -> tuple[DottedSet, Context]:
    """Drop what the context covers, and add the write as the replica's next event."""
    entries = {entry.actor: entry for entry in clock.actors}
    for actor, upto in absorbed(clock, context):
        entries[actor] = entries.get(actor, DottedEntry(actor, 0)).without(upto)
    mine = entries.get(writer.replica, DottedEntry(writer.replica, 0))
    entries[writer.replica] = DottedEntry(writer.replica, mine.n + 1, (content, *mine.live))
    dot = (writer.replica, mine.n + 1)
    return DottedSet(tuple(entries[actor] for actor in sorted(entries))), context.plus(dot)


def absorbed(clock: DottedSet, context: Context) -> Vector:
    """The context as a vector, as far as this clock can tell that nothing unseen is covered with it.

    A dot beyond a gap counts only if the clock knows the whole of its actor up to there, and every sibling up to there
    is one that the client has seen.
    """
    counters = dict(context.vector)
    for actor, n in context.dots:
        entry = next((entry for entry in clock.actors if entry.actor == actor), None)
        if entry is None or entry.n < n:
            continue
        if all(context.covers((actor, live)) for live in range(entry.superseded + 1, n + 1)):
            counters[actor] = max(counters.get(actor, 0), n)
    return tuple(sorted(counters.items()))
