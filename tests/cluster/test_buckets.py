"""Log buckets against exact percentiles."""

from hypothesis import given
from hypothesis import strategies as st

from cluster.buckets import Buckets

TIMES = st.lists(st.integers(0, 10**13), min_size=1, max_size=200)


def filled(times: list[int], bits: int = 7) -> Buckets:
    buckets = Buckets(bits)
    for time_ns in times:
        buckets.add(time_ns)
    return buckets


@given(TIMES, st.sampled_from([1, 500, 900, 990, 999, 1000]), st.sampled_from([4, 7]))
def test_a_percentile_is_off_by_less_than_a_buckets_width(times: list[int], per_mille: int, bits: int) -> None:
    exact = sorted(times)[max(1, -(-len(times) * per_mille // 1000)) - 1]
    found = filled(times, bits).percentile_ns(per_mille)
    assert found is not None
    assert found <= exact
    assert exact - found <= exact / 2 ** (bits - 1)


@given(TIMES, TIMES)
def test_to_merge_is_to_have_counted_both(some: list[int], others: list[int]) -> None:
    merged = filled(some)
    merged.merge(filled(others))
    whole = filled(some + others)
    assert [merged.percentile_ns(p) for p in range(0, 1001, 50)] == [whole.percentile_ns(p) for p in range(0, 1001, 50)]
    assert len(merged) == len(some) + len(others)


def test_without_any_time_there_is_no_percentile() -> None:
    assert Buckets().percentile_ns(500) is None
