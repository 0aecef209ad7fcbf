"""Majorities, of one set and of two: against brute force."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from actors.state.configuration import Configuration
from actors.state.quorum import EVERYTHING, agreed, both, election, majority

VOTERS = st.sets(st.integers(0, 6), min_size=1, max_size=7).map(lambda found: tuple(sorted(found)))
REACHED = st.fixed_dictionaries({node: st.integers(0, 9) for node in range(7)})


def quorums(voters):
    """Every set of voters that is more than half of them, by enumeration."""
    return [
        set(chosen)
        for size in range(len(voters) + 1)
        for chosen in combinations(voters, size)
        if 2 * len(chosen) > len(voters)
    ]


@given(st.integers(1, 50))
def test_two_majorities_share_a_voter_and_a_smaller_set_need_not(voters):
    assert 2 * majority(voters) > voters
    assert 2 * (majority(voters) - 1) <= voters


@given(VOTERS, REACHED)
def test_what_is_agreed_is_the_greatest_index_that_some_quorum_has_reached(voters, reached):
    """§5.3: committed once stored on a majority of the servers."""
    assert agreed(voters, reached) == max(min(reached[node] for node in quorum) for quorum in quorums(voters))


@given(VOTERS, VOTERS, REACHED)
def test_a_joint_configuration_agrees_only_to_what_both_sets_do(voters, outgoing, reached):
    """§6: agreement requires separate majorities from both the old and the new configuration."""
    joint = Configuration(voters, outgoing)
    assert joint.agreed(reached) == min(agreed(voters, reached), agreed(outgoing, reached))


def test_nobody_holds_nothing_back():
    assert agreed((), {}) == EVERYTHING


@given(VOTERS, st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)))
def test_an_election_is_won_by_a_quorum_and_lost_when_none_can_come_together(voters, granted, refused):
    refused -= granted
    won = any(quorum <= granted for quorum in quorums(voters))
    lost = not any(not quorum & refused for quorum in quorums(voters))
    assert election(voters, granted, refused) == ("won" if won else "lost" if lost else "open")


@given(VOTERS, VOTERS, st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)))
def test_a_joint_election_must_be_won_in_both_sets(voters, outgoing, granted, refused):
    refused -= granted
    halves = election(voters, granted, refused), election(outgoing, granted, refused)
    assert Configuration(voters, outgoing).election(granted, refused) == both(*halves)
    assert (both(*halves) == "won") == (halves == ("won", "won"))
    assert (both(*halves) == "lost") == ("lost" in halves)


@given(VOTERS, VOTERS)
def test_who_wins_twice_in_disjoint_sets_of_voters_does_not_exist(voters, outgoing):
    """The reason for all of it: two candidates can't both win one term."""
    joint = Configuration(voters, outgoing)
    members = joint.members
    for size in range(len(members) + 1):
        for chosen in combinations(members, size):
            rest = set(members) - set(chosen)
            assert not (joint.election(chosen) == "won" and joint.election(rest) == "won")
