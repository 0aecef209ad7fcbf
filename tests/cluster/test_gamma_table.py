"""The shipped quantile table against its closed form."""

import math

from cluster.latency import GAMMA2_DEVIATION, GAMMA2_MEDIAN, Trip


def quantile(p: float) -> float:
    """The x with 1 - (1 + x) exp(-x) = p, by bisection."""
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - (1 + middle) * math.exp(-middle) < p else (low, middle)
    return low


def test_every_quantile_of_the_table_is_the_closed_forms_to_a_millionth() -> None:
    table = Trip(base_ns=0, scale_ns=1_000_000).table()
    assert max(abs(found - 1e6 * quantile((i + 0.5) / 4096)) for i, found in enumerate(table)) <= 1


def test_the_constants_are_the_distributions() -> None:
    assert round(quantile(0.5), 8) == GAMMA2_MEDIAN
    assert round(math.sqrt(2), 8) == GAMMA2_DEVIATION
