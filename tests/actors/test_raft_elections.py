"""Raft §5.1, §5.2 and §5.4.1: terms, votes, and who may become leader."""

import pytest
from raft_alone import CLIENT, append, candidate, disk, entries, entry, heartbeat, leader, raft, terms
from scenario import command, tell

from actors.client import Redirect, Request
from actors.election import RoleChanged
from actors.protocols.raft_messages import AppendEntries, Rejected, RequestVote, Vote
from actors.settings import MS
from actors.state.log import LogId


@pytest.mark.parametrize(
    ("last_log", "granted"),
    [
        (LogId(term=3, index=9), True),  # the same log
        (LogId(term=4, index=1), True),  # a later term beats a longer log
        (LogId(term=3, index=10), True),  # longer, same term
        (LogId(term=3, index=8), False),  # shorter
        (LogId(term=2, index=99), False),  # longer, but of an earlier term
        (LogId(term=0, index=0), False),  # empty
    ],
)
def test_the_vote_goes_only_to_a_log_as_good_as_the_voters(last_log, granted):
    """§5.4.1. The voter is in term 4 and its log ends at term 3, index 9."""
    voter, node = raft(disk(4, entries(1, 1, 1, 2, 2, 3, 3, 3, 3)))
    tell(voter, 2, RequestVote(4, last_log))
    assert node.sent() == [(2, Vote(4, granted))]


def test_a_server_votes_for_one_candidate_a_term():
    """§5.2: first come, first served."""
    voter, node = raft()
    tell(voter, 1, RequestVote(1, LogId(0, 0)))
    tell(voter, 2, RequestVote(1, LogId(0, 0)))
    assert node.sent() == [(1, Vote(1, True)), (2, Vote(1, False))]


def test_a_repeated_request_of_the_same_candidate_is_granted_again():
    """Figure 2: votedFor is null or candidateId. The first answer may have been lost."""
    voter, node = raft()
    for _ in range(2):
        tell(voter, 1, RequestVote(1, LogId(0, 0)))
    assert node.sent() == [(1, Vote(1, True))] * 2


def test_a_new_term_frees_the_vote():
    voter, node = raft(disk(1, voted_for=1))
    tell(voter, 2, RequestVote(2, LogId(0, 0)))
    assert node.sent() == [(2, Vote(2, True))]


def test_a_request_of_an_earlier_term_is_refused_with_the_current_one():
    """§5.1: a stale request is rejected; the answer tells the term."""
    voter, node = raft(disk(5))
    tell(voter, 1, RequestVote(4, LogId(9, 9)))
    assert node.sent() == [(1, Vote(5, False))]


def test_a_refused_vote_does_not_put_off_the_election_time_out():
    """Figure 2, followers: only a granted vote or a leader's message does, else a stale node could hold all back."""
    voter, node = raft(disk(1, entries(1)))
    deadline = node.timers["election"]
    node.clock_ns = 100 * MS
    tell(voter, 1, RequestVote(2, LogId(0, 0)))
    assert node.timers["election"] == deadline


def test_a_granted_vote_puts_off_the_election_time_out():
    voter, node = raft()
    node.clock_ns = 100 * MS
    tell(voter, 1, RequestVote(1, LogId(0, 0)))
    assert node.timers["election"] >= 250 * MS


def test_a_candidate_asks_all_others_in_a_new_term_and_votes_for_itself():
    """§5.2: it increments its term, votes for itself and asks in parallel."""
    server, node = candidate(disk(6, entries(5, 6)))
    assert (server.role, server.term, server.voted_for) == ("candidate", 7, 0)
    assert node.sent() == [(1, RequestVote(7, LogId(6, 2))), (2, RequestVote(7, LogId(6, 2)))]


@pytest.mark.parametrize(("servers", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_a_majority_of_all_servers_elects(servers, needed):
    """§5.2: votes from a majority of the servers in the full cluster."""
    server, _ = candidate(servers=servers)
    roles = [server.role]
    for voter in range(1, servers):
        if server.role == "candidate":
            tell(server, voter, Vote(1, True))
            roles.append(server.role)
    assert roles == ["candidate"] * (needed - 1) + ["leader"]


def test_the_same_vote_twice_counts_once():
    """A duplicate must not make a majority."""
    server, _ = candidate(servers=5)
    for _ in range(3):
        tell(server, 1, Vote(1, True))
    assert server.role == "candidate"


@pytest.mark.parametrize("vote", [Vote(1, True), Vote(2, False)])
def test_a_vote_of_an_earlier_election_or_a_refusal_does_not_count(vote):
    """The candidate stands in term 2."""
    server, _ = candidate(disk(1))
    tell(server, 1, vote)
    assert server.role == "candidate"


def test_a_late_vote_of_the_own_term_changes_nothing_for_a_leader():
    server, node = leader(servers=5)
    node.forget()
    tell(server, 4, Vote(1, True))
    assert (server.role, node.asked) == ("leader", [])


def test_a_split_vote_ends_in_the_next_term():
    """§5.2: each candidate times out and starts a new election."""
    server, node = candidate()
    node.fire(server, "election")
    assert (server.role, server.term, server.votes) == ("candidate", 2, [0])


def test_election_time_outs_are_drawn_anew_from_the_whole_range():
    """§5.2: randomised time-outs make split votes rare."""
    server, node = raft()
    waits = set()
    for _ in range(50):
        node.clock_ns = node.timers["election"]
        before = node.clock_ns
        node.fire(server, "election")
        waits.add(node.timers["election"] - before)
    assert all(150 * MS <= wait <= 300 * MS for wait in waits)
    assert max(waits) - min(waits) > 100 * MS


@pytest.mark.parametrize("make", [raft, candidate, leader])
@pytest.mark.parametrize(
    "message",
    [RequestVote(9, LogId(0, 0)), Vote(9, False), AppendEntries(9, LogId(0, 0), (), 0), Rejected(9, 0, 0)],
    ids=lambda message: type(message).__name__,
)
def test_any_message_of_a_later_term_makes_a_follower_of_that_term(make, message):
    """§5.1: if one server's term is smaller than the other's, it updates to the larger and reverts to follower."""
    server, _ = make()
    tell(server, 1, message)
    assert (server.role, server.term) == ("follower", 9)


@pytest.mark.parametrize("term", [1, 2])
def test_a_candidate_follows_the_leader_of_its_term(term):
    """§5.2: a claim at least as large as its own term is legitimate."""
    server, _ = candidate()
    tell(server, 2, heartbeat(server, term=term))
    assert (server.role, server.leader, server.term) == ("follower", 2, term)


def test_a_candidate_refuses_a_leader_of_an_earlier_term():
    server, node = candidate(disk(4))
    node.forget()
    tell(server, 2, append(4, (0, 0), [entry(4, 1)]))
    assert (server.role, node.sent(), terms(server)) == ("candidate", [(2, Rejected(5, 0, 0))], [])


def test_a_leader_heartbeats_at_once_and_again_before_others_time_out():
    """§5.2: heartbeats to all of the other servers establish its authority and prevent new elections."""
    server, node = leader(servers=5)
    assert [to for to, _ in node.sent(AppendEntries)] == [1, 2, 3, 4]
    node.forget()
    assert node.timers["heartbeat"] - node.clock_ns < 150 * MS
    node.fire(server, "heartbeat")
    assert [to for to, _ in node.sent(AppendEntries)] == [1, 2, 3, 4]


def test_a_leader_has_no_election_time_out_and_one_that_steps_down_has_one_again():
    server, node = leader()
    assert "election" not in node.timers
    tell(server, 1, RequestVote(9, LogId(9, 9)))
    assert "election" in node.timers
    assert "heartbeat" not in node.timers


def test_a_leader_begins_its_term_with_an_empty_entry():
    """§8: so that it learns which entries are committed."""
    server, node = leader(disk(3, entries(1, 3)))
    assert terms(server) == [1, 3, 4]
    assert server.log[3].command is None
    assert node.sent(AppendEntries)[0] == (1, append(4, (3, 2), [entry(4)]))


def test_a_leader_never_cuts_its_own_log():
    """Figure 3, leader append-only: neither at its election nor on any answer."""
    server, node = leader(disk(3, entries(1, 3, 3)))
    tell(server, 1, Rejected(4, 3, 0))
    tell(server, 2, Rejected(4, 3, 1))
    assert terms(server) == [1, 3, 3, 4]
    assert not [what for what in node.stored() if what[0] == "cut"]


def test_roles_are_told_in_their_order():
    server, node = leader()
    tell(server, 1, RequestVote(9, LogId(9, 9)))
    assert node.emitted(RoleChanged) == [
        RoleChanged("candidate", 1),
        RoleChanged("leader", 1),
        RoleChanged("follower", 9),
    ]


def test_a_follower_names_the_leader_to_clients():
    """§8: the server rejects the request and supplies the most recent leader it has heard from."""
    server, node = raft()
    tell(server, CLIENT, Request(command(1)))
    tell(server, 2, heartbeat(server, term=1))
    tell(server, CLIENT, Request(command(1)))
    assert node.sent(Redirect) == [(CLIENT, Redirect(1, 1, None)), (CLIENT, Redirect(1, 1, 2))]


def test_a_server_in_a_new_term_no_longer_names_the_old_leader():
    server, node = raft()
    tell(server, 2, heartbeat(server, term=1))
    tell(server, 1, RequestVote(2, LogId(0, 0)))
    tell(server, CLIENT, Request(command(1)))
    assert node.sent(Redirect) == [(CLIENT, Redirect(1, 1, None))]
