"""Last writer wins: one value a key, the one with the latest wall-clock stamp.

No conflict is ever seen: of two concurrent writes one vanishes, and with skewed clocks also a later one. At equal
stamps a tombstone beats a value, and the larger value the smaller.
"""

from actors.clocks.content import Content, Writer, rank
from actors.clocks.vector import Context, Dot
from actors.message import Message

CLOCK = 0  # the only "actor" of these contexts: time itself


class LastWrite(Message, frozen=True):
    """The latest write known, and its stamp in ns."""

    stamp_ns: int = 0
    content: Content | None = None

    @property
    def siblings(self) -> tuple[Content, ...]:
        return (self.content,) if self.content is not None else ()

    @property
    def entries(self) -> int:
        return 1 if self.content is not None else 0

    def join(self) -> Context:
        """See `actors.clocks.Clock.join`; here the stamp, of which no later write takes notice."""
        return Context(((CLOCK, self.stamp_ns),) if self.stamp_ns else ())

    def known(self, _: int) -> int:
        return 0

    def sync(self, other: "LastWrite") -> "LastWrite":
        """The later of two; of two at one time the higher by `rank`."""
        if self.content is None or other.content is None:
            return self if other.content is None else other
        mine, theirs = (self.stamp_ns, rank(self.content)), (other.stamp_ns, rank(other.content))
        return self if mine >= theirs else other


def update(clock: LastWrite, _: Context, content: Content, writer: Writer) -> tuple[LastWrite, Context]:
    """Stamp a write with the coordinator's wall clock; it may lose to what is there."""
    dot: Dot = (CLOCK, writer.now_ns)
    return clock.sync(LastWrite(writer.now_ns, content)), Context((dot,))
