"""A histogram of times in buckets whose width grows with the time, so that a few hundred hold nanoseconds to hours.

Buckets of two histograms merge by adding, so a percentile over many hosts or seconds costs nothing but their counts.
"""

from collections import Counter


class Buckets:
    """Counts times in ns by their leading bits: with 7 of them a bucket is under 1.6% wide, with 4 under 12.5%."""

    def __init__(self, bits: int = 7) -> None:
        self._bits = bits
        self._counts: Counter[int] = Counter()

    def add(self, time_ns: int) -> None:
        """Count one time; a negative one counts as none."""
        shift = max(0, time_ns.bit_length() - self._bits)
        self._counts[time_ns >> shift << shift if time_ns > 0 else 0] += 1

    def merge(self, other: "Buckets") -> None:
        """Take in what another histogram of as many bits has counted."""
        assert self._bits == other._bits
        self._counts.update(other._counts)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def percentile_ns(self, per_mille: int) -> int | None:
        """The lower bound of the bucket that holds the percentile by nearest rank; None without any time.

        Args:
            per_mille: the share in thousandths: 500 is the median, 990 the 99th percentile.
        """
        rank = max(1, -(-len(self) * per_mille // 1000))
        for bucket in sorted(self._counts):
            rank -= self._counts[bucket]
            if rank <= 0:
                return bucket
        return None
