"""Percentiles by nearest rank: always a value that was measured, never one between two."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sorted_ns(values: Iterable[int]) -> "NDArray[np.int64]":
    """The values as a sorted int64 array."""
    import numpy as np

    return np.sort(np.fromiter(values, dtype=np.int64))


def percentile(values: "NDArray[np.int64]", per_mille: int, *, at_least: int = 1) -> int | None:
    """The least value that at least this share of all values does not exceed.

    Args:
        values: sorted.
        per_mille: the share in thousandths: 500 is the median, 990 the 99th percentile, 1000 the greatest.
        at_least: with fewer values there is no such percentile, and the answer is None.

    Source: "inverted_cdf", method 1 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996.
    """
    count = len(values)
    if count < max(1, at_least):
        return None
    rank = -(-count * per_mille // 1000)
    return int(values[max(rank, 1) - 1])
