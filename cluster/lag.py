"""How late a loop ran: a histogram of 12% wide buckets that costs an increment an entry."""

from collections import Counter


class Lag:
    """Counts delays in nanoseconds by their four leading bits."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, late_ns: int) -> None:
        shift = max(0, late_ns.bit_length() - 4)
        self._counts[late_ns >> shift << shift] += 1

    def p99_ns(self) -> int:
        """The bucket that 99 in 100 entries don't pass; 0 without entries."""
        left = sum(self._counts.values()) // 100
        for bucket in sorted(self._counts, reverse=True):
            left -= self._counts[bucket]
            if left < 0:
                return bucket
        return 0
