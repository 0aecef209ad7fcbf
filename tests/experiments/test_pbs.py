"""PBS against closed forms."""

import numpy as np
import pytest

from experiments.pbs import Quorum, k_staleness, one_way_ns, stale_share, staleness_ends_ns


@pytest.mark.parametrize(
    ("r", "w", "k", "share"),
    [(1, 1, 1, 0.667), (1, 1, 2, 0.444), (1, 1, 3, 0.296), (1, 2, 1, 0.333), (2, 2, 1, 0.0)],
)
def test_k_staleness_of_three_replicas(r: int, w: int, k: int, share: float) -> None:
    """The paper's examples, §3.1."""
    assert k_staleness(3, r=r, w=w, k=k) == pytest.approx(share, abs=1e-3)


def links(n: int, delays: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    return {(one, other): delays for one in range(n) for other in range(n) if one != other}


def test_with_fixed_delays_a_read_is_stale_elsewhere_until_the_write_is_there() -> None:
    """R = W = 1: at the two of three servers that did not write, for one trip less the client's two."""
    ends = staleness_ends_ns(links(3, np.array([100.0])), Quorum(3, 1, 1), client_ns=np.array([10.0]))
    assert stale_share(ends, np.array([79.0])) == pytest.approx(2 / 3, abs=1e-3)
    assert stale_share(ends, np.array([81.0])) == 0


def test_with_exponential_delays_it_decays_as_their_tail() -> None:
    """R = W = 1, local reads: stale at t with chance 2/3 exp(-t / mean)."""
    delays = np.random.default_rng(3).exponential(100.0, 100_000)
    ends = staleness_ends_ns(links(3, delays), Quorum(3, 1, 1), client_ns=np.zeros(1))
    for age in (0.0, 50.0, 100.0, 300.0):
        assert stale_share(ends, np.array([age])) == pytest.approx(2 / 3 * np.exp(-age / 100), abs=0.01)


@pytest.mark.parametrize(("r", "w"), [(2, 2), (1, 3), (3, 1)])
def test_quorums_that_overlap_are_never_stale(r: int, w: int) -> None:
    delays = np.random.default_rng(4).exponential(100.0, 100_000)
    ends = staleness_ends_ns(links(3, delays), Quorum(3, r, w), client_ns=np.zeros(1))
    assert stale_share(ends, np.array([0.0])) == 0


def test_one_way_delays_have_half_the_mean_and_half_the_variance_of_round_trips() -> None:
    rng = np.random.default_rng(5)
    trips = (rng.gamma(2, 50, 100_000) + rng.gamma(2, 50, 100_000) + 1000).astype(int)
    delays = one_way_ns(trips)
    assert delays.mean() == pytest.approx(trips.mean() / 2, rel=1e-3)
    assert delays.var() == pytest.approx(trips.var() / 2, rel=1e-2)
