"""Draws, against their distribution."""

import math
from random import Random

import pytest

from actors.draws import exponential

DRAWS = 40_000


@pytest.fixture(scope="module")
def drawn():
    rng = Random(2026)
    return sorted(exponential(rng) for _ in range(DRAWS))


def test_exponential_draws_are_exponential(drawn):
    """Kolmogorov-Smirnov: a right sampler exceeds 1.95 / sqrt(n) with one seed in a thousand; this seed is fixed."""
    distance = max(
        max((place + 1) / DRAWS - (1 - math.exp(-value)), (1 - math.exp(-value)) - place / DRAWS)
        for place, value in enumerate(drawn)
    )
    assert distance < 1.95 / math.sqrt(DRAWS)


def test_their_mean_and_deviation_are_one(drawn):
    mean = sum(drawn) / DRAWS
    deviation = math.sqrt(sum((value - mean) ** 2 for value in drawn) / DRAWS)
    assert mean == pytest.approx(1, abs=4 / math.sqrt(DRAWS))
    assert deviation == pytest.approx(1, abs=8 / math.sqrt(DRAWS))


class Told:
    """Draws that a test chose."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def random(self):
        return self.draws.pop(0)


@pytest.mark.parametrize(
    ("draws", "result"),
    [
        ([0.5, 0.7], 0.5),  # a run of one
        ([0.5, 0.3, 0.1, 0.2], 0.5),  # of three: odd, accepted
        ([0.5, 0.3, 0.4, 0.25, 0.9], 1.25),  # of two: even, refused; one more in the whole part
        ([0.5, 0.3, 0.4, 0.5, 0.3, 0.4, 0.125, 0.9], 2.125),
    ],
)
def test_the_length_of_a_descending_run_decides(draws, result):
    """Von Neumann, 1951. Comparisons and a sum only, so it is the same to the last bit on every machine."""
    told = Told(*draws)
    assert exponential(told) == result
    assert told.draws == []
