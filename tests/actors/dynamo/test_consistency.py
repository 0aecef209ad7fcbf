"""What each consistency level waits for."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.state.consistency import met, requirements

REGIONS = ("us", "us", "us", "eu", "eu", "eu")
OWNERS = (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("level", "enough", "too_few"),
    [
        ("one", {4}, set()),
        ("two", {4, 1}, {4}),
        (3, {0, 1, 5}, {0, 1}),
        ("quorum", {0, 1, 2, 3}, {0, 1, 2}),
        ("all", set(OWNERS), {0, 1, 2, 3, 4}),
        ("local-one", {2}, {3, 4, 5}),
        ("local-quorum", {0, 2}, {0, 3, 4, 5}),
        ("each-quorum", {0, 2, 3, 4}, {0, 1, 2, 3}),
    ],
)
def test_a_level_is_met_by_these_and_not_by_those(level, enough, too_few) -> None:
    """Six replicas in two regions; the coordinator is in the first."""
    needs = requirements(level, OWNERS, REGIONS, "us")
    assert met(needs, enough)
    assert not met(needs, too_few)


@given(n=st.integers(1, 6), r=st.integers(1, 6), w=st.integers(1, 6))
def test_reads_meet_writes_exactly_if_r_plus_w_is_above_n(n: int, r: int, w: int) -> None:
    """Every set of answers that a read accepts shares a replica with every one that a write accepts."""
    owners = tuple(range(n))
    regions = ("here",) * n
    reads, writes = (requirements(count, owners, regions, "here") for count in (r, w))
    sets = [set(chosen) for size in range(n + 1) for chosen in combinations(owners, size)]
    always = all(one & other for one in sets if met(reads, one) for other in sets if met(writes, other))
    assert always == (min(r, n) + min(w, n) > n)


def test_a_local_level_where_no_replica_is_asks_everywhere() -> None:
    assert requirements("local-quorum", (3, 4, 5), REGIONS, "us") == (((3, 4, 5), 2),)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no consistency level 'most'"):
        requirements("most", OWNERS, REGIONS, "us")
