"""Every interleaving of three cores up to a depth: two proposals, one crash, one lost message."""

import pytest
from raft_explorer import BUDGET, Explorer
from raft_invariants import Violation

from chaos.zoo.raft import RAFT

DEPTH = 7


def test_no_state_up_to_a_depth_breaks_a_promise():
    explored = Explorer().explore(DEPTH)
    assert explored.depth == DEPTH
    assert explored.states > 5_000


@pytest.mark.long
def test_how_far_a_minute_reaches(capsys):
    """Prints the states visited and the depth up to which that was all of them."""
    explored = Explorer().explore(99, seconds=60)
    with capsys.disabled():
        print(f"\n{explored.states:,} states, all up to depth {explored.depth}, in {explored.seconds:.0f} s")
    assert explored.depth > DEPTH


@pytest.mark.parametrize("mutant", ["vote-not-persisted", "half-is-majority", "commit-without-majority"])
def test_exploration_finds_wrong_rafts(mutant):
    with pytest.raises((Violation, AssertionError)):
        Explorer(RAFT[mutant]).explore(DEPTH + 2, BUDGET._replace(proposals=1, drops=0))


def test_the_same_states_are_found_whoever_asks():
    """Deduplication rests on states being values: two explorers agree on how many there are."""
    assert Explorer().explore(6).states == Explorer().explore(6).states
