"""Raft's safety checkers: valid, invalid and unknown recordings, and random ones against the definitions."""

from hypothesis import given
from hypothesis import strategies as st

from actors.election import RoleChanged
from actors.protocols.raft_messages import Committed, LogChanged
from cluster.topology import Topology
from experiments.checkers.election_safety import election_safety
from experiments.checkers.raft_safety import raft_safety
from experiments.recording import Observed

THREE = Topology(("us",) * 3, 3)


def leads(node: int, term: int) -> Observed:
    return Observed(0, node, RoleChanged("leader", term))


def follows(node: int, term: int) -> Observed:
    return Observed(0, node, RoleChanged("follower", term))


def log(node: int, *entries: tuple[int, int], after: int = 0) -> Observed:
    """From `after` on the node's log is these (term, serial)s."""
    return Observed(0, node, LogChanged(after, tuple((term, 1, serial) for term, serial in entries)))


def commits(node: int, index: int, term: int) -> Observed:
    return Observed(0, node, Committed(term, index))


def judged(*events: Observed):
    return raft_safety(events, THREE)


RIGHT = (
    leads(0, 1),
    log(0, (1, 1)),
    log(1, (1, 1)),
    commits(0, 1, 1),
    leads(1, 2),
    log(1, (2, 1), after=1),
    log(2, (1, 1), (2, 1)),
    commits(1, 2, 2),
    log(0, (2, 1), after=1),
    commits(0, 2, 2),
)


def test_a_right_run_is_valid():
    verdict = judged(*RIGHT)
    assert (verdict.valid, verdict.reason) == (True, "")
    assert verdict.evidence["elections"] == 2
    assert verdict.evidence["committed"] == 2


def test_a_run_without_an_election_is_unknown():
    assert judged(follows(0, 1)).valid == "unknown"
    assert election_safety([follows(0, 1)], THREE).valid == "unknown"


def test_two_leaders_of_one_term():
    """Figure 3, election safety."""
    verdict = judged(leads(0, 5), leads(2, 5))
    assert verdict.valid is False
    assert "n1 and n3 were both elected in term 5" in verdict.reason
    assert election_safety([leads(0, 5), leads(2, 5)], THREE).evidence["split"] == {"5": ["n1", "n3"]}


def test_leaders_of_different_terms_may_overlap():
    assert election_safety([leads(0, 5), leads(2, 6)], THREE).valid is True


def test_two_entries_of_one_place_and_term():
    """Figure 3, log matching."""
    verdict = judged(leads(0, 1), log(0, (1, 1)), log(1, (1, 2)))
    assert verdict.valid is False
    assert "at index 1, term 1, the logs of n1 and n2 hold different entries" in verdict.reason


def test_logs_that_agree_at_a_place_but_not_before_it():
    verdict = judged(leads(0, 3), log(0, (1, 1), (3, 1)), log(1, (2, 1), (3, 1)))
    assert verdict.valid is False
    assert "the entries before it are of terms 1 and 2" in verdict.reason


def test_a_leader_that_lacks_what_was_committed_before_its_term():
    """Figure 3, leader completeness."""
    verdict = judged(leads(0, 1), log(0, (1, 1)), commits(0, 1, 1), leads(1, 2))
    assert verdict.valid is False
    assert "n2 became leader of term 2 with nothing in place of command 1/1 of term 1" in verdict.reason


def test_a_commit_that_becomes_known_after_the_next_election_counts_too():
    """The old leader may learn of its majority late; the new one must have had the entry all the same."""
    assert judged(leads(0, 1), log(0, (1, 1)), leads(1, 2), commits(0, 1, 1)).valid is False


def test_a_leader_need_not_have_what_is_committed_in_a_later_term():
    """An entry of term 1 that only the leader of term 3 commits (figure 8)."""
    verdict = judged(leads(0, 1), log(0, (1, 1)), leads(1, 2), leads(0, 3), log(0, (3, 1), after=1), commits(0, 2, 3))
    assert verdict.valid is True


def test_two_servers_that_apply_different_commands_at_one_index():
    """Figure 3, state machine safety."""
    verdict = judged(leads(0, 1), log(0, (1, 1)), commits(0, 1, 1), leads(1, 1), log(1, (2, 1)), commits(1, 1, 2))
    assert "state machine safety: at index 1 n1 committed command 1/1 of term 1 and n2 committed" in verdict.reason


def test_a_server_that_commits_cuts_and_commits_otherwise():
    verdict = judged(leads(0, 1), log(0, (1, 1)), commits(0, 1, 1), log(0, (2, 1)), commits(0, 1, 2))
    assert verdict.evidence["violations"]["state machine safety"][0]["nodes"] == ["n1", "n1"]


def test_a_hole_in_the_recording_makes_no_accusation():
    for hole in (log(0, (1, 2), after=1), commits(0, 3, 1)):
        verdict = judged(leads(0, 1), hole)
        assert verdict.valid == "unknown"
        assert "hole" in verdict.reason


ELECTIONS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=8)


@given(ELECTIONS)
def test_election_safety_is_a_count(elections):
    valid = election_safety([leads(node, term) for node, term in elections], THREE).valid
    pairs = set(elections)
    twice = any(a != b and term == other for a, term in pairs for b, other in pairs)
    assert valid == ("unknown" if not elections else not twice)


ENTRIES = st.lists(st.tuples(st.integers(1, 2), st.integers(1, 2)), max_size=3)


@given(st.lists(ENTRIES, min_size=3, max_size=3), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_state_machine_safety_and_log_matching_are_what_figure_3_says(logs, commit_indices):
    """All logs written whole, then some commits: against the sentences, pair by pair."""
    logs = [sorted(one) for one in logs]
    commit_indices = [min(index, len(one)) for index, one in zip(commit_indices, logs, strict=True)]
    events = [leads(0, 9), *(log(node, *one) for node, one in enumerate(logs))]
    events += [commits(node, index, 9) for node, index in enumerate(commit_indices) if index]
    found = judged(*events).evidence["violations"]

    pairs = [(a, b) for a in range(3) for b in range(a)]
    applied = [one[:index] for one, index in zip(logs, commit_indices, strict=True)]
    assert ("state machine safety" in found) == any(
        one != other for a, b in pairs for one, other in zip(applied[a], applied[b], strict=False)
    )
    assert ("log matching" in found) == any(
        logs[a][:index] != logs[b][:index]
        for a, b in pairs
        for index in range(1, min(len(logs[a]), len(logs[b])) + 1)
        if logs[a][index - 1][0] == logs[b][index - 1][0]
    )
