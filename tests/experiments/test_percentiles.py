"""Percentiles by nearest rank, against counting."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.percentiles import percentile, sorted_ns

TIMES = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)
SHARES = st.integers(1, 1000)


@given(TIMES, SHARES)
def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed(times: list[int], per_mille: int) -> None:
    needed = Fraction(per_mille, 1000) * len(times)
    by_counting = min(value for value in times if sum(other <= value for other in times) >= needed)
    assert percentile(sorted_ns(times), per_mille) == by_counting


@given(TIMES, SHARES)
def test_it_is_numpys_inverted_cdf(times: list[int], per_mille: int) -> None:
    """Where the share of the count is no whole number: at those, numpy's floats may slip by one rank."""
    if per_mille * len(times) % 1000:
        theirs = np.percentile(times, per_mille / 10, method="inverted_cdf")
        assert percentile(sorted_ns(times), per_mille) == theirs


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 12))
def test_with_too_few_values_there_is_none(times: list[int], at_least: int) -> None:
    assert (percentile(sorted_ns(times), 990, at_least=at_least) is None) == (len(times) < at_least)
