"""Handing the lead over (thesis §3.10): catch-up, TimeoutNow, abort; and what clients meet meanwhile."""

import msgspec
from raft_cluster import PLAIN, RaftCluster

from actors.protocols.raft_messages import RequestVote, TimeoutNow, TransferLeadership


def led(**more):
    cluster = RaftCluster(3, settings=msgspec.structs.replace(PLAIN, **more))
    cluster.clock_ns = 10**9
    cluster.elect(0)
    cluster.heartbeat(0)
    return cluster


def test_the_successor_is_brought_up_to_date_first():
    """Step 2: the prior leader fully updates the target server's log."""
    cluster = led()
    cluster.propose(0)
    cluster.isolate(1)
    cluster.ask(0, TransferLeadership(1))
    assert not cluster.letters(kind=TimeoutNow)
    cluster.settle()
    assert cluster.leaders == [1]
    assert cluster.actors[1].log.last_index >= 3


def test_no_stickiness_holds_the_successor_up():
    """Thesis §4.2.3: a leader transfer is exempt."""
    cluster = led(pre_vote=True, check_quorum=True)
    cluster.ask(0, TransferLeadership(2))
    cluster.settle()
    assert (cluster.leaders, cluster.actors[2].term) == ([2], 2)


def test_commands_are_held_off_meanwhile_and_clients_ask_again():
    """Step 1: the prior leader stops accepting new client requests."""
    cluster = led()
    cluster.ask(0, TransferLeadership(1))
    write = cluster.propose(0)
    assert cluster.answer_to(write) == "redirected"


def test_a_transfer_that_does_not_come_to_an_end_is_given_up():
    """§3.10: if it does not complete after about an election time-out, the prior leader resumes."""
    cluster = led()
    cluster.ask(0, TransferLeadership(1))
    cluster.isolate(1)
    cluster.fire(0, "transfer")
    write = cluster.propose(0)
    cluster.settle({0, 2})
    assert cluster.answer_to(write) is not None
    assert cluster.leaders == [0]


def test_only_a_member_that_may_lead_is_asked_to_stand():
    cluster = led(voters=2, learners=1)
    for node in (2, 7):
        cluster.ask(0, TransferLeadership(node))
    assert cluster.actors[0].transferee is None


def test_who_does_not_lead_passes_the_wish_on():
    cluster = led()
    cluster.ask(2, TransferLeadership(1))
    cluster.settle()
    assert cluster.leaders == [1]


def test_a_late_request_to_stand_of_an_earlier_term_is_not_obeyed():
    cluster = led()
    cluster.elect(1)
    follower = cluster.actors[2]
    cluster.step(2, lambda: follower.on_timeout_now(0, TimeoutNow(1)))
    assert not cluster.letters(2, kind=RequestVote)
