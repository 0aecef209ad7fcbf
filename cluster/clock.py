"""A node's two clocks while a fault works on them; a healthy node needs none of this.

Both run at the node's own rate, and so do its timers. The wall clock is off besides, or stands still. Once the fault
is healed the wall clock is right again, as after a synchronisation; the monotonic one only runs at the right rate
again, for it never jumps.
"""

from cluster.ailment import Ailment

MILLION = 1_000_000


class Clock:
    """One node's clocks. Times are ns since the start of the run."""

    __slots__ = ("_offset_ns", "_ppm", "_since_ns", "_stands_at_ns", "_wall_drift_ns", "drift_ns")

    def __init__(self) -> None:
        self.drift_ns = 0  # by how much the monotonic clock was ahead when the rate changed last
        self._wall_drift_ns = 0  # the part of it that no synchronisation has mended
        self._since_ns = 0
        self._ppm = 0
        self._offset_ns = 0
        self._stands_at_ns: int | None = None

    def change(self, now_ns: int, ailment: Ailment) -> None:
        """From now on the clocks ail like this."""
        gained = self._gained(now_ns)
        self.drift_ns += gained
        self._wall_drift_ns = self._wall_drift_ns + gained if ailment.clock_ppm else 0
        self._since_ns, self._ppm = now_ns, ailment.clock_ppm
        if not ailment.clock_stands:
            self._stands_at_ns = None
        elif self._stands_at_ns is None:
            self._stands_at_ns = self.wall(now_ns)
        self._offset_ns = ailment.clock_offset_ns

    def _gained(self, now_ns: int) -> int:
        return (now_ns - self._since_ns) * self._ppm // MILLION

    def monotonic(self, now_ns: int) -> int:
        return now_ns + self.drift_ns + self._gained(now_ns)

    def wall(self, now_ns: int) -> int:
        if self._stands_at_ns is not None:
            return self._stands_at_ns
        return now_ns + self._offset_ns + self._wall_drift_ns + self._gained(now_ns)

    def true_ns(self, after_ns: int) -> int:
        """How long it really takes until this clock has gone on by `after_ns`."""
        return after_ns * MILLION // max(1, MILLION + self._ppm)
