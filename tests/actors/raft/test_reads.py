"""Reads that don't go through the log (thesis §6.4), and when the cheap ones are wrong."""

import msgspec
import pytest
from raft_cluster import PLAIN, RaftCluster

from actors.client import Reply
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import AppendEntries, TransferLeadership
from actors.settings import MS
from chaos.zoo.raft_reads import LeaseWithoutMargin, LocalRead


def reading(how, **more):
    return msgspec.structs.replace(PLAIN, reads=how, check_quorum=True, **more)


def led(how, **more):
    """A cluster led by its first node, with one write done."""
    cluster = RaftCluster(3, settings=reading(how, **more))
    cluster.clock_ns = 300 * MS
    cluster.elect(0)
    write = cluster.propose(0, "old")
    cluster.settle()
    cluster.heartbeat(0)
    assert cluster.answer_to(write) == "old"
    return cluster


def replace_the_leader(cluster):
    """Nodes 1 and 2 elect another and write, while the first one hears nothing."""
    cluster.isolate(0)
    cluster.clock_ns += 151 * MS
    cluster.elect(1, among={1, 2})
    cluster.propose(1, "new")
    cluster.settle({1, 2})


@pytest.mark.parametrize("how", ["read-index", "lease", "follower"])
def test_a_read_at_the_leader_finds_what_was_acknowledged(how):
    cluster = led(how)
    read = cluster.propose(0, function="read")
    cluster.settle()
    assert cluster.answer_to(read) == "old"
    assert cluster.actors[0].log.last_index == 2, "nothing was appended for it"


def test_a_read_index_read_waits_for_a_round_that_leaves_after_it_came():
    """§6.4, step 3."""
    cluster = led("read-index")
    before = cluster.letters()
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) is None
    assert len([letter for letter in cluster.letters(0) if letter not in before]) == 2, "one heartbeat to each"
    cluster.deliver(cluster.letters(0, 1, AppendEntries)[-1])
    cluster.deliver(cluster.letters(1, 0)[-1])
    assert cluster.answer_to(read) == "old"


def test_reads_that_come_together_share_a_round():
    cluster = led("read-index")
    cluster.actors[0].node.set_timer("confirm", 0)  # one is being gathered for already
    reads = [cluster.propose(0, function="read") for _ in range(5)]
    cluster.settle()
    assert [cluster.answer_to(read) for read in reads] == ["old"] * 5


@pytest.mark.parametrize("how", ["read-index", "follower"])
def test_a_leader_that_was_replaced_cannot_answer(how):
    cluster = led(how)
    replace_the_leader(cluster)
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) is None
    cluster.settle()
    assert cluster.answer_to(read) in (None, "redirected")


def test_a_local_read_without_any_check_is_stale():
    """Zoo 14, found by the same steps."""
    cluster = RaftCluster(3, settings=reading("read-index"), kind=LocalRead)
    cluster.clock_ns = 300 * MS
    cluster.elect(0)
    cluster.propose(0, "old")
    cluster.settle()
    replace_the_leader(cluster)
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) == "old"


def test_reads_before_the_first_commit_of_a_term_wait_for_it():
    """§6.4, step 1: only then does a leader know what is committed."""
    cluster = led("read-index")
    cluster.clock_ns += 500 * MS
    cluster.fire(1, "election")
    for letter in cluster.letters(1):
        cluster.deliver(letter)
    for letter in cluster.letters(target=1):
        cluster.deliver(letter)
    assert 1 in cluster.leaders
    read = cluster.propose(1, function="read")
    assert cluster.actors[1].early_reads
    cluster.settle()
    assert cluster.answer_to(read) == "old"


def test_a_lease_answers_without_a_message():
    cluster = led("lease")
    assert cluster.letters() == []
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) == "old"
    assert cluster.letters() == []


def test_a_lease_counts_from_when_its_round_was_sent_and_then_ends():
    cluster = led("lease")
    cluster.clock_ns += reading("lease").lease_ns - 1
    assert cluster.answer_to(cluster.propose(0, function="read")) == "old"
    cluster.clock_ns += 1
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) is None
    cluster.settle()
    assert cluster.answer_to(read) == "old", "a round of its own confirms it"


def drifted(kind, percent, **more):
    """The leader's clock runs too slow by so many percent, the others' too fast; the leader is cut off, and read."""
    cluster = RaftCluster(3, settings=reading("lease", **more), kind=kind)
    cluster.nodes[0].rate = 1 - percent / 100
    for node in (1, 2):
        cluster.nodes[node].rate = 1 + percent / 100
    cluster.clock_ns = 1000 * MS
    for node in (0, 1, 2):
        cluster.actors[node].heard_ns = 0
    cluster.elect(0)
    cluster.propose(0, "old")
    cluster.settle()
    cluster.heartbeat(0)
    cluster.isolate(0)
    cluster.clock_ns += int(150 * MS / (1 + percent / 100)) + 2  # by now the others no longer hear a leader
    cluster.elect(1, among={1, 2})
    assert cluster.leaders == [0, 1]
    cluster.propose(1, "new")
    cluster.settle({1, 2})
    return cluster.answer_to(cluster.propose(0, function="read"))


def test_a_lease_holds_as_long_as_clocks_drift_within_their_bound():
    assert drifted(Raft, 9, clock_drift=0.1) is None


def test_beyond_the_bound_a_lease_read_is_stale():
    """What the safety of leases costs: a bound on drift that must hold."""
    assert drifted(Raft, 9, clock_drift=0.01) == "old"


def test_a_lease_that_allows_for_no_drift_is_stale_within_the_bound():
    """Zoo 18."""
    assert drifted(LeaseWithoutMargin, 9, clock_drift=0.1) == "old"


def test_a_leader_that_asked_another_to_stand_has_no_lease_any_more():
    """The request may be late, and no stickiness holds it up."""
    cluster = led("lease")
    cluster.ask(0, TransferLeadership(1))
    cluster.fire(0, "transfer")
    assert cluster.actors[0].transferee is None
    assert not cluster.actors[0].holds_lease()


def test_a_follower_answers_from_its_own_state_once_the_leader_told_it_the_index():
    """§6.4, last paragraphs."""
    cluster = led("follower")
    cluster.propose(0, "newer")
    for letter in cluster.letters(0, 1):
        cluster.deliver(letter)
    for letter in cluster.letters(1, 0):
        cluster.deliver(letter)
    assert cluster.values(1) == {"x": "old"}, "the follower doesn't know yet that it is committed"
    read = cluster.propose(1, function="read")
    cluster.settle()
    assert cluster.answer_to(read) == "newer"
    answers = [(source, message) for source, message in cluster.answers if isinstance(message, Reply)]
    assert answers[-1][0] == 1


def test_a_stale_read_is_answered_by_anybody_at_once():
    cluster = led("stale")
    cluster.propose(0, "newer")
    read = cluster.propose(1, function="read")
    assert cluster.answer_to(read) == "old"


def test_a_bound_on_staleness_turns_away_who_has_not_heard_the_leader():
    cluster = led("stale", staleness_ns=100 * MS)
    cluster.clock_ns += 100 * MS
    assert cluster.answer_to(cluster.propose(1, function="read")) == "old"
    cluster.clock_ns += 1
    assert cluster.answer_to(cluster.propose(1, function="read")) == "redirected"


def mixed(versions):
    """A cluster whose servers speak these versions of the messages, led by the first."""
    old = reading("read-index", upgrade=True)
    new = reading("read-index")
    cluster = RaftCluster(3, settings_of=lambda node, incarnation: old if versions[node] == 1 else new)
    cluster.clock_ns = 300 * MS
    cluster.elect(0)
    cluster.propose(0, "old")
    cluster.settle()
    cluster.heartbeat(0)
    return cluster


@pytest.mark.parametrize("versions", [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 1, 2)])
def test_both_versions_of_the_messages_work_together(versions):
    """A rolling upgrade: until a quorum answers rounds, reads go through the log."""
    cluster = mixed(versions)
    read = cluster.propose(0, function="read")
    cluster.settle()
    assert cluster.answer_to(read) == "old"
    rounds = versions[0] == 2 and sum(version == 2 for version in versions) >= 2
    assert cluster.actors[0].log.last_index == (2 if rounds else 3)


def test_a_restart_upgrades():
    cluster = mixed((1, 1, 1))
    for node in (2, 1, 0):
        cluster.crash(node)
        cluster.start(node)
    assert [actor.version for actor in cluster.actors.values()] == [2, 2, 2]


def test_a_message_of_version_1_is_read_as_one_without_the_new_fields():
    """On the wire: MessagePack arrays may end early, and trailing items that a reader doesn't know are skipped."""
    new = AppendEntries(3, RaftCluster(1).actors[0].log.last_id, (), 0, 7)
    array = msgspec.msgpack.decode(msgspec.msgpack.encode(new))
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(array[:-1]), type=AppendEntries)
    assert old == msgspec.structs.replace(new, round=0)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode([*array, "later"]), type=AppendEntries) == new
