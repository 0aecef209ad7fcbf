"""The phi-accrual estimate: how unlikely it is that a node that lives has been silent for so long.

Source: Hayashibara, Défago, Yared, Katayama, "The phi accrual failure detector", 2004; intervals are taken to be
exponential, as Cassandra does, so that phi is a product: P(silence > t) = exp(-t / mean), phi = -log10 of it. No
logarithm is taken, whose last bit differs between machines.
"""

import msgspec

LOG10_E = 0.4342944819032518
WINDOW = 100  # intervals


class Arrivals(msgspec.Struct):
    """The times between a node's last heartbeats, in ns. The first guess counts as one interval."""

    last_ns: int
    intervals: list[int]

    def heard(self, now_ns: int) -> None:
        """A heartbeat came."""
        self.intervals.append(max(1, now_ns - self.last_ns))
        if len(self.intervals) > WINDOW:
            del self.intervals[0]
        self.last_ns = now_ns

    def phi(self, now_ns: int) -> float:
        """The suspicion now: 1 means one mistake in ten such silences, 8 one in a hundred million."""
        mean = sum(self.intervals) / len(self.intervals)
        return LOG10_E * (now_ns - self.last_ns) / mean
