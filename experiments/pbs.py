"""Probabilistically bounded staleness: how often a read of a partial quorum misses the last acknowledged write.

Source: Bailis, Venkataraman, Franklin, Hellerstein, Stoica, "Probabilistically bounded staleness for practical partial
quorums", VLDB 2012: k-staleness (§3.1), and t-visibility by Monte Carlo over the one-way delays W, A, R and S (§5.1).

Here every server is a replica and may coordinate, its own copy costs no trip, and each link has delays of its own; the
paper draws all links from one distribution and has coordinators that are no replicas.
"""

from collections.abc import Mapping, Sequence
from math import comb, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SAMPLES = 90_000


def k_staleness(n: int, *, r: int, w: int, k: int) -> float:
    """The chance that a read misses the last k writes, once each write has stopped spreading at its quorum (§3.1)."""
    return (comb(n - w, r) / comb(n, r)) ** k if r + w <= n else 0.0


class Quorum(NamedTuple):
    """How many replicas there are, answer a read, answer a write."""

    n: int
    r: int
    w: int


def one_way_ns(trips_ns: Sequence[int]) -> Floats:
    """One-way delays by round trips, if both ways are alike and independent: half the mean, deviation over sqrt 2."""
    trips = np.asarray(trips_ns, dtype=np.float64)
    mean = float(trips.mean())
    return np.maximum(0.0, mean / 2 + (trips - mean) / sqrt(2))


def staleness_ends_ns(
    delays_ns: Mapping[tuple[int, int], Floats], quorum: Quorum, *, client_ns: Floats, seed: int = 1
) -> Floats:
    """Until when after a write's acknowledgement came to its client a read sent then would miss it; sorted.

    Negative: no read misses it. Writers and readers coordinate equally often.

    Args:
        delays_ns: one-way delays to draw from, by link, both ways of a pair alike.
        client_ns: one-way delays between a client and its coordinator.
    """
    rng = np.random.default_rng(seed)
    n, r, w = quorum
    samples = SAMPLES // (n * n)

    def draw(coordinator: int) -> Floats:
        """(samples, n): delays between a coordinator and each replica."""
        columns = [
            np.zeros(samples) if replica == coordinator else rng.choice(delays_ns[coordinator, replica], samples)
            for replica in range(n)
        ]
        return np.stack(columns, axis=1)

    ends = []
    for writer in range(n):
        for reader in range(n):
            spread, back, ask, answer = draw(writer), draw(writer), draw(reader), draw(reader)
            committed = np.sort(spread + back, axis=1)[:, w - 1]
            first = np.argsort(ask + answer, axis=1)[:, :r]
            missed_until = np.take_along_axis(spread - ask, first, axis=1).min(axis=1) - committed
            ends.append(missed_until - rng.choice(client_ns, samples) - rng.choice(client_ns, samples))
    return np.sort(np.concatenate(ends))


def stale_share(ends_ns: Floats, ages_ns: Floats) -> float:
    """The mean chance that reads of these ages (from a write's return to the read's invoke) are stale."""
    later = len(ends_ns) - np.searchsorted(ends_ns, ages_ns, side="right")
    return float(later.mean() / len(ends_ns))
