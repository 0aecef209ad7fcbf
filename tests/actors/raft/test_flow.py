"""Flow control: the window, the bound on what is uncommitted, batching, and the leader's parallel write."""

import msgspec
import pytest
from raft_cluster import PLAIN, RaftCluster
from raft_invariants import Violation
from scenario import command

from actors.client import Reply
from actors.protocols.raft_messages import AppendEntries, Forwarded, LogStored
from chaos.zoo.raft_disk import CountsOwnUnsaved


def led(kind=None, servers=3, **more):
    how = {} if kind is None else {"kind": kind}
    cluster = RaftCluster(servers, settings=msgspec.structs.replace(PLAIN, **more), **how)
    cluster.elect(0)
    cluster.heartbeat(0)
    return cluster


@pytest.mark.parametrize("bound", [{"in_flight": 4}, {"in_flight_kb": 1}])
def test_a_leader_sends_no_more_than_its_window_to_who_does_not_answer(bound):
    cluster = led(**bound)
    for _ in range(40):
        cluster.propose(0, "x" * 200)
    sent = [letter for letter in cluster.letters(0, 2, AppendEntries) if letter.message.entries]
    assert len(sent) <= 5
    cluster.settle()
    cluster.heartbeat(0)
    assert cluster.actors[2].log.last_index == 41, "the answers open the window again"


def test_a_shut_window_lets_heartbeats_through():
    cluster = led(in_flight=1)
    for _ in range(5):
        cluster.propose(0)
    before = len(cluster.letters(0, 1))
    cluster.fire(0, "heartbeat")
    latest = cluster.letters(0, 1)[before:]
    assert [letter.message.entries for letter in latest] == [()]


def test_a_leader_with_too_much_uncommitted_says_that_it_is_busy():
    """Back-pressure, answered to the client."""
    cluster = led(uncommitted_kb=1)
    writes = [cluster.propose(0, "x" * 300) for _ in range(5)]
    assert [cluster.answer_to(write) for write in writes] == [None, None, None, "busy", "busy"]
    cluster.settle()
    later = cluster.propose(0, "y")
    cluster.settle()
    assert cluster.answer_to(later) == "y"
    assert cluster.actors[0].uncommitted_bytes == 0


def test_one_command_above_the_bound_is_taken_alone():
    cluster = led(uncommitted_kb=1)
    write = cluster.propose(0, "x" * 5000)
    cluster.settle()
    assert cluster.answer_to(write) is not None


def test_commands_of_one_turn_leave_in_one_message():
    cluster = led()
    actor, node = cluster.actors[0], cluster.nodes[0]
    for process in range(10):
        actor.propose(cluster.client, command(1000 + process))
    cluster.step(0, lambda: None)
    assert node.unsynced == []
    assert [len(letter.message.entries) for letter in cluster.letters(0, 1)] == [10]


def slow_leader(kind=None):
    """A leader that writes in parallel, on a disk that takes its time."""
    cluster = led(kind, parallel_write=True)
    assert cluster.actors[0].stored > 0
    cluster.nodes[0].slow = True
    return cluster


def test_a_leader_sends_while_its_own_disk_still_writes():
    """Thesis §10.2.1: writing to the leader's disk in parallel."""
    cluster = slow_leader()
    write = cluster.propose(0, "new")
    assert [len(letter.message.entries) for letter in cluster.letters(0)] == [1, 1]
    cluster.settle()
    assert cluster.answer_to(write) == "new", "two other disks are a majority"
    assert cluster.actors[0].stored < cluster.actors[0].log.last_index
    cluster.nodes[0].sync()
    cluster.settle()
    assert cluster.actors[0].stored == cluster.actors[0].log.last_index


def test_its_own_copy_does_not_count_before_it_is_on_disk():
    cluster = slow_leader()
    write = cluster.propose(0, "new")
    cluster.settle({0, 1})
    assert cluster.answer_to(write) is None
    cluster.nodes[0].sync()
    cluster.settle({0, 1})
    assert cluster.answer_to(write) == "new"


def test_counting_it_loses_an_acknowledged_write_with_the_power():
    """Zoo 15, acknowledged before fsync."""
    cluster = slow_leader(CountsOwnUnsaved)
    write = cluster.propose(0, "new")
    cluster.settle({0, 1})
    assert cluster.answer_to(write) == "new"
    cluster.isolate(2)
    cluster.crash(0)
    cluster.crash(1)
    cluster.start(0)
    with pytest.raises(Violation, match="leader completeness"):
        cluster.elect(0, among={0, 2})


def test_a_leader_elected_by_its_own_vote_alone_waits_for_its_term_to_be_on_disk():
    """Else a learner could hold an entry of a term that the leader forgets and begins anew."""
    settings = msgspec.structs.replace(PLAIN, parallel_write=True, voters=1, learners=1)
    cluster = RaftCluster(2, settings=settings)
    cluster.nodes[0].slow = True
    cluster.fire(0, "election")
    cluster.propose(0)
    assert (cluster.leaders, cluster.letters(0, 1)) == ([0], [])


def test_a_stored_message_of_an_earlier_term_counts_for_nothing():
    """The ABA problem: the entry that it speaks of may have been overwritten since."""
    cluster = slow_leader()
    cluster.propose(0)
    cluster.actors[0].on_log_stored(0, LogStored(0, 99))
    assert cluster.actors[0].stored < 99


def test_a_follower_forwards_commands_where_it_may():
    cluster = led(forward=True)
    write = cluster.propose(1, "by way of a follower")
    assert len(cluster.letters(1, 0, Forwarded)) == 1
    cluster.settle()
    assert cluster.answer_to(write) == "by way of a follower"
    assert [source for source, message in cluster.answers if isinstance(message, Reply)][-1] == 0


def test_without_forwarding_it_names_the_leader():
    cluster = led()
    assert cluster.answer_to(cluster.propose(1)) == "redirected"
