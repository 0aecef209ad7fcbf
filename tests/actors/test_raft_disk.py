"""Raft, figure 2, persistent state: what is saved before a message leaves, and what a restart takes up again."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from raft_alone import CLIENT, append, candidate, disk, entries, entry, heartbeat, leader, raft
from scenario import FakeNode, command, tell

from actors.client import Request
from actors.election import RoleChanged
from actors.node import Stored
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import (
    AppendEntries,
    LogChanged,
    RaftSettings,
    RequestVote,
    Vote,
)
from actors.state.log import LogId
from cluster.disk import apply_record


def test_term_and_vote_are_saved_with_the_vote():
    """Figure 2: updated on stable storage before responding."""
    voter, node = raft()
    tell(voter, 2, RequestVote(7, LogId(0, 0)))
    assert node.saved() == {"term": 7, "voted_for": 2}


def test_a_candidate_saves_its_own_vote_with_its_term():
    _, node = candidate(disk(6))
    assert node.saved() == {"term": 7, "voted_for": 0}


def test_a_later_term_is_saved_without_a_vote():
    server, node = raft(disk(3, voted_for=1))
    tell(server, 2, heartbeat(server, term=4))
    assert node.saved() == {"term": 4, "voted_for": None}


def test_a_term_that_is_known_is_not_saved_again():
    server, node = raft(disk(3))
    tell(server, 2, heartbeat(server, term=3))
    assert node.stored() == []


def test_a_leader_saves_an_entry_in_the_handler_that_takes_it():
    server, node = leader()
    node.forget()
    tell(server, CLIENT, Request(command(1)))
    assert node.stored() == [("append", "log", (server.log[2],))]


def test_a_restarted_server_is_a_follower_with_its_term_vote_and_log():
    stored = disk(5, entries(1, 4), voted_for=2)
    server, node = raft(stored)
    assert (server.role, server.term, server.voted_for, server.log.entries) == ("follower", 5, 2, entries(1, 4))
    assert (server.commit, server.leader, server.machine.values) == (0, None, {})
    assert "election" in node.timers


def test_a_restarted_server_keeps_the_vote_that_it_gave():
    """Zoo 1: else a term could have two leaders."""
    voter, node = raft(disk(5, voted_for=2))
    tell(voter, 1, RequestVote(5, LogId(9, 9)))
    tell(voter, 2, RequestVote(5, LogId(9, 9)))
    assert node.sent() == [(1, Vote(5, False)), (2, Vote(5, True))]


def test_a_restarted_server_tells_its_log_to_observers():
    node = FakeNode(disk=disk(5, [entry(1), entry(4, 2)]))
    Raft(node, RaftSettings()).start()
    assert node.emitted() == [RoleChanged("follower", 5), LogChanged(0, ((1, -1, 0), (4, 1, 2)))]


# what can happen to a server, drawn at random

TERMS = st.integers(1, 6)
PEERS = st.integers(1, 2)


@st.composite
def some_entries(draw):
    """An AppendEntries that some leader could send: entry (term, index) has one content, terms never fall."""
    ends = sorted(draw(st.lists(TERMS, max_size=6)))
    log = entries(*ends)
    after = draw(st.integers(0, len(log)))
    term = max(draw(TERMS), ends[-1] if ends else 1)
    previous = (log[after - 1].term, after) if after else (0, 0)
    return append(term, previous, log[after:], commit=draw(st.integers(0, 1)) and after)


MESSAGES = st.one_of(
    st.builds(RequestVote, TERMS, st.builds(LogId, TERMS, st.integers(0, 6))),
    st.builds(Vote, TERMS, st.booleans()),
    some_entries(),
)
REQUESTS = st.builds(Request, st.builds(command, PEERS, st.integers(1, 3)))
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), PEERS, MESSAGES),
        st.tuples(st.just("election"), st.none(), st.none()),
        st.tuples(
            st.just("request"), st.just(CLIENT), st.builds(Request, st.builds(command, PEERS, st.integers(1, 3)))
        ),
    ),
    max_size=12,
)


def live(server: Raft, node: FakeNode, happenings) -> bool:
    """Let these things happen; False if they make a second leader of one term, which no cluster would."""
    for what, sender, message in happenings:
        if what == "election":
            if "election" in node.timers:
                node.fire(server, "election")
            continue
        if isinstance(message, AppendEntries) and server.role == "leader" and message.term == server.term:
            return False
        if isinstance(message, AppendEntries) and message.previous.index < server.commit:
            return False  # nor would a leader contradict what is committed
        tell(server, sender, message)
    return True


def replayed(node: FakeNode) -> Stored:
    """The disk after all that was asked of it."""
    image = Stored()
    apply_record(image, tuple(node.stored()))
    return image


@given(HAPPENINGS)
def test_the_disk_always_holds_term_vote_and_log(happenings):
    """A restart from it takes up exactly the persistent state of figure 2."""
    server, node = raft()
    live(server, node, happenings)
    again, _ = raft(replayed(node))
    assert (again.term, again.voted_for, again.log) == (server.term, server.voted_for, server.log)


@given(HAPPENINGS, HAPPENINGS)
def test_restore_is_the_inverse_of_state(before, after):
    """A fresh server that restores a state goes on as the first does, in all that it asks of its node."""
    server, node = raft()
    live(server, node, before)
    other_node = FakeNode(0, servers=3, clients=7)
    other = Raft(other_node, RaftSettings())
    other.restore(server.state())
    assert other.state() == server.state()
    other_node.timers = dict(node.timers)
    other_node.clock_ns = node.clock_ns
    node.forget()
    assert live(server, node, after) == live(other, other_node, after)
    assert node.asked == other_node.asked
    assert other.state() == server.state()


@given(HAPPENINGS)
def test_a_state_is_plain_and_survives_the_wire(happenings):
    """The flight recorder writes states as MessagePack and reads them back."""
    server, node = raft()
    live(server, node, happenings)
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(server.state()), strict=False)
    other = Raft(FakeNode(0, servers=3, clients=7), RaftSettings())
    other.restore(read)
    assert other.state() == server.state()
