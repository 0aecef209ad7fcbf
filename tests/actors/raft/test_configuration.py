"""How one configuration follows another (§6; thesis, chapter 4): pure functions, against the overlap of quorums."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from raft_invariants import overlap as brute_force_overlap

from actors.state.configuration import (
    Configuration,
    InvalidChange,
    Target,
    catching_up,
    follow_up,
    leave_joint,
    normal,
    overlap,
)

NODES = st.sets(st.integers(0, 4))


@st.composite
def targets(draw):
    voters = draw(st.sets(st.integers(0, 4), min_size=1))
    learners = draw(NODES) - voters
    witnesses = set(list(voters)[: draw(st.integers(0, len(voters) - 1))])
    return normal(Target(tuple(voters), tuple(learners), tuple(witnesses)))


@st.composite
def configurations(draw):
    target = draw(targets())
    return Configuration(target.voters, (), target.learners, target.witnesses)


@st.composite
def any_configurations(draw):
    now = draw(configurations())
    return Configuration(now.voters, tuple(sorted(draw(NODES))), now.learners)


@given(any_configurations(), any_configurations())
def test_overlap_is_what_brute_force_finds(one, other):
    assert overlap(one, other) == brute_force_overlap(one, other)


def try_follow_up(now, target, **how):
    try:
        return follow_up(now, target, **how)
    except InvalidChange:
        return None


@given(configurations(), targets(), st.booleans())
def test_quorums_of_two_configurations_in_a_row_overlap(now, target, joint):
    """Figures 10 and 11; thesis, figure 4.3: no two majorities without a common server, at no moment of a change."""
    following = try_follow_up(now, target, joint=joint)
    assume(following is not None)
    assert overlap(now, following)
    if following.is_joint:
        assert overlap(following, leave_joint(following))


@given(configurations(), targets(), st.booleans())
def test_a_change_ends_at_its_target(now, target, joint):
    following = try_follow_up(now, target, joint=joint)
    assume(following is not None)
    last = leave_joint(following) if following.is_joint else following
    assert target.is_reached(last)
    assert last.serial > now.serial


@given(configurations(), targets())
def test_only_a_change_of_one_voter_is_made_without_joint_consensus(now, target):
    """Thesis §4.1."""
    following = try_follow_up(now, target, joint=False)
    assume(following is not None)
    assert following.is_joint == (len(set(now.voters) ^ set(target.voters)) > 1)


def test_two_voters_at_once_without_joint_consensus_would_not_overlap():
    """Figure 10: why the rule is needed. Three servers become five: two and three of them can decide apart."""
    assert not overlap(Configuration((0, 1, 2)), Configuration((0, 1, 2, 3, 4)))


@given(configurations(), targets())
def test_new_voters_learn_first_and_learners_never_count(now, target):
    """Thesis §4.2.1."""
    step = catching_up(now, target)
    if step is None:
        assert set(target.voters) <= set(now.members)
    else:
        assert step.voters == now.voters
        assert set(target.voters) <= set(step.members)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (Target(()), "needs a voter"),
        (Target((0, 1), learners=(1,)), "a voter or a learner"),
        (Target((0, 1), witnesses=(2,)), "one of the voters"),
        (Target((0, 1), witnesses=(0, 1)), "stores? nothing"),
        (Target((0, 1, 2)), "already"),
        (Target((0, 1, 2), witnesses=(2,)), "remove it first"),
    ],
)
def test_what_no_cluster_can_become_is_refused_with_the_reason(target, why):
    with pytest.raises(InvalidChange, match=why):
        follow_up(Configuration((0, 1, 2)), target, joint=False)


def test_a_joint_configuration_must_be_left_before_the_next_change():
    joint = follow_up(Configuration((0, 1, 2)), Target((2, 3, 4)), joint=False)
    assert joint == Configuration((2, 3, 4), (0, 1, 2), serial=1)
    with pytest.raises(InvalidChange, match="must be left first"):
        follow_up(joint, Target((0,)), joint=False)
    with pytest.raises(InvalidChange, match="not joint"):
        leave_joint(leave_joint(joint))
