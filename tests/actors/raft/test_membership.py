"""Changes of members (§6; thesis, chapter 4): what counts when, who learns, who goes."""

import msgspec
import pytest
from raft_cluster import PLAIN, RaftCluster

from actors.protocols.raft_messages import (
    ChangeRefused,
    ForceQuorum,
    LeaveJoint,
    QuorumForced,
    Reconfigure,
    RequestVote,
)
from actors.state.configuration import Configuration


def cluster_of(voters, servers=5, **more):
    """So many of the servers vote at first; the first one leads them."""
    settings = msgspec.structs.replace(PLAIN, voters=voters, promote_lag=2, **more)
    cluster = RaftCluster(servers, settings=settings)
    cluster.clock_ns = 10**9
    cluster.elect(0)
    cluster.heartbeat(0)
    return cluster


def change(cluster, *voters, **how):
    """An operator asks the first server; then all is delivered."""
    cluster.ask(0, Reconfigure(voters, **how))
    cluster.settle()


def configuration(cluster, node=0):
    return cluster.actors[node].configuration


def test_a_server_is_added_after_it_has_caught_up_as_a_learner():
    """Thesis §4.2.1: new servers join as non-voting members until they hold the log."""
    cluster = cluster_of(3)
    for _ in range(10):
        cluster.propose(0)
    cluster.settle()
    change(cluster, 0, 1, 2, 3)
    steps = [found for _, found in cluster.actors[0].configurations]
    assert [(step.voters, step.learners) for step in steps] == [
        ((0, 1, 2), ()),
        ((0, 1, 2), (3,)),
        ((0, 1, 2, 3), ()),
    ]
    cluster.heartbeat(0)
    assert cluster.values(3) == cluster.values(0)


def test_a_learner_that_does_not_answer_is_not_promoted():
    """Zoo 25, the other way round: an empty server that counted at once could strand its leader."""
    cluster = cluster_of(3)
    cluster.propose(0)
    cluster.settle()
    cluster.ask(0, Reconfigure((0, 1, 2, 3)))
    cluster.settle({0, 1, 2})
    assert configuration(cluster) == Configuration((0, 1, 2), learners=(3,), serial=1)
    write = cluster.propose(0)
    cluster.settle({0, 1, 2})
    assert cluster.answer_to(write) is not None


def test_learners_do_not_count():
    """Zoo 23."""
    cluster = cluster_of(3, learners=2)
    cluster.isolate(1)
    cluster.isolate(2)
    cluster.propose(0)
    cluster.settle({0, 3, 4})
    assert cluster.actors[0].commit < cluster.actors[0].log.last_index
    assert cluster.actors[3].log.last_index == cluster.actors[0].log.last_index
    cluster.fire(3, "election")
    assert cluster.actors[3].role == "follower"


def test_two_servers_at_once_go_through_joint_consensus_and_leave_it():
    """§6, figure 11."""
    cluster = cluster_of(3)
    change(cluster, 0, 3, 4)
    steps = [found for _, found in cluster.actors[0].configurations]
    assert [step.is_joint for step in steps] == [False, False, True, False]
    assert configuration(cluster).voters == (0, 3, 4)
    assert cluster.actors[0].goal is None


def test_a_joint_configuration_decides_in_both_sets():
    """§6: any majority of only one of the two sets is not enough."""
    cluster = cluster_of(3)
    cluster.ask(0, Reconfigure((0, 3, 4), leave=False))
    cluster.settle()
    assert configuration(cluster).is_joint
    for group in ({0, 1, 2}, {0, 3, 4}):
        write = cluster.propose(0)
        cluster.settle(group)
        assert cluster.answer_to(write) is None, f"{group} is a majority of one set only"
        cluster.settle()


def test_an_explicit_leave_ends_a_joint_configuration_that_stays():
    cluster = cluster_of(3)
    change(cluster, 0, 3, 4, leave=False)
    cluster.heartbeat(0)
    assert configuration(cluster).is_joint
    cluster.ask(1, LeaveJoint())  # passed on to the leader
    cluster.settle()
    assert configuration(cluster).voters == (0, 3, 4)
    assert not configuration(cluster).is_joint


def test_one_voter_goes_through_joint_consensus_where_that_is_asked_for():
    cluster = cluster_of(3)
    change(cluster, 0, 1, joint=True)
    assert [found.is_joint for _, found in cluster.actors[0].configurations] == [False, True, False]


def test_a_configuration_counts_from_its_append_and_no_longer_than_it_stands_in_the_log():
    """§6: a server always uses the latest configuration in its log, regardless of whether the entry is committed."""
    cluster = cluster_of(3)
    cluster.ask(0, Reconfigure((0, 1)))
    assert configuration(cluster).voters == (0, 1)
    assert configuration(cluster, 1).voters == (0, 1, 2)
    cluster.isolate(0)
    cluster.elect(1, among={1, 2})
    cluster.heartbeat(1)
    assert configuration(cluster).voters == (0, 1, 2), "cut off with its entry"


def test_an_appended_configuration_counts_after_a_restart():
    """Zoo 22."""
    cluster = cluster_of(3)
    cluster.ask(0, Reconfigure((0, 1)))
    cluster.crash(0)
    cluster.start(0)
    assert configuration(cluster).voters == (0, 1)


def test_a_leader_that_is_removed_commits_its_own_removal_and_then_steps_down():
    """Thesis §4.2.2."""
    cluster = cluster_of(3)
    cluster.ask(0, Reconfigure((1, 2)))
    assert cluster.leaders == [0]
    assert set(cluster.actors[0].progress) == {1, 2}
    for letter in cluster.letters(0):
        cluster.deliver(letter)
    assert cluster.leaders == [0], "it leads a cluster that it doesn't belong to until that is committed"
    cluster.settle()
    assert cluster.leaders == []
    cluster.fire(0, "election")
    assert cluster.actors[0].role == "follower", "it does not stand any more"
    cluster.elect(1, among={1, 2})
    assert cluster.leaders == [1]


def test_a_leader_that_becomes_a_learner_steps_down():
    cluster = cluster_of(3)
    change(cluster, 1, 2, learners=(0,))
    assert cluster.leaders == []
    assert cluster.actors[0].configuration.learners == (0,)


def test_a_removed_server_that_knows_nothing_of_it_does_not_disturb_where_votes_stick():
    """Thesis §4.2.3."""
    cluster = cluster_of(3, pre_vote=True)
    cluster.ask(0, Reconfigure((0, 1)))
    cluster.isolate(2)
    cluster.settle()
    cluster.fire(2, "election")
    cluster.settle()
    assert (cluster.leaders, cluster.actors[0].term) == ([0], 1)


def test_no_change_before_an_entry_of_the_leaders_own_term_is_committed():
    """Zoo 16: the bug of 2015."""
    cluster = RaftCluster(4, settings=PLAIN)
    cluster.fire(0, "election")
    for letter in cluster.letters(0, kind=RequestVote):
        cluster.deliver(letter)
    for letter in cluster.letters(target=0):
        cluster.deliver(letter)
    cluster.ask(0, Reconfigure((0, 1, 2)))
    assert configuration(cluster).voters == (0, 1, 2, 3)
    cluster.settle()
    assert configuration(cluster).voters == (0, 1, 2), "it waited for the commit"


def test_a_change_waits_for_the_one_before_it():
    cluster = cluster_of(4)
    cluster.ask(0, Reconfigure((0, 1, 2)))
    cluster.ask(0, Reconfigure((0, 1)))
    assert configuration(cluster).voters == (0, 1, 2)
    cluster.settle()
    assert configuration(cluster).voters == (0, 1)


def test_a_voter_grants_its_vote_to_a_candidate_that_its_own_configuration_lacks():
    """Zoo 21; thesis §4.2.2: servers process requests from servers that aren't in their latest configuration."""
    cluster = cluster_of(3)
    cluster.hand_vote_request(candidate=4, voter=1, term=9)
    assert cluster.actors[1].voted_for == 4


def test_what_no_cluster_can_become_is_refused_with_an_event():
    cluster = cluster_of(3)
    change(cluster, 0, 1, 2, witnesses=(2,))
    refused = [event for _, event in cluster.events if isinstance(event, ChangeRefused)]
    assert len(refused) == 1
    assert "remove it first" in refused[0].reason
    change(cluster, 0, 1, 2, 9)
    assert "no server 10" in [event for _, event in cluster.events if isinstance(event, ChangeRefused)][-1].reason


def test_a_witness_votes_and_acknowledges_but_stores_no_payload_and_never_leads():
    cluster = RaftCluster(3, settings=msgspec.structs.replace(PLAIN, witnesses=1))
    cluster.elect(0, among={0, 2})
    write = cluster.propose(0, "a long text")
    cluster.settle({0, 2})
    assert cluster.answer_to(write) == "a long text", "the leader and the witness are a majority"
    assert [entry.command and entry.command.value for entry in cluster.actors[2].log.entries] == [None, None]
    assert cluster.values(2) == {}
    cluster.fire(2, "election")
    assert cluster.actors[2].role == "follower"
    cluster.elect(1)
    assert cluster.leaders == [0], "the witness knows of an entry that the other lacks, and refuses its vote"


def test_a_witness_takes_a_snapshot_without_its_items():
    settings = msgspec.structs.replace(PLAIN, witnesses=1, snapshot_every=5, trailing=0)
    cluster = RaftCluster(3, settings=settings)
    cluster.elect(0, among={0, 1})
    for _ in range(12):
        cluster.propose(0)
        cluster.settle({0, 1})
    cluster.isolate(2)
    cluster.heartbeat(0)
    witness = cluster.actors[2]
    assert witness.log.last_index == cluster.actors[0].log.last_index
    assert witness.snapshot.items == ()


def test_a_forced_quorum_goes_on_without_the_majority_that_is_gone():
    """UNSAFE by name: what only the lost servers held is gone, and the event says what is still here."""
    cluster = cluster_of(5)
    kept = cluster.propose(0, "kept")
    cluster.settle()
    lost = cluster.propose(0, "lost", key="y")
    cluster.settle({0, 1, 2})
    assert cluster.answer_to(lost) == "lost", "a majority held it"
    for node in (0, 1, 2):
        cluster.isolate(node)
        cluster.crash(node)
    cluster.invariants.forced = True  # what follows breaks leader completeness knowingly
    for node in (3, 4):
        cluster.ask(node, ForceQuorum((3, 4)))
    forced = [event for _, event in cluster.events if isinstance(event, QuorumForced)]
    assert [(event.last_term, event.last_index) for event in forced] == [(1, 2), (1, 2)]
    cluster.elect(3)
    assert cluster.leaders == [3]
    assert cluster.values(3) == {"x": "kept"}
    assert cluster.answer_to(kept) == "kept"
    again = cluster.propose(3, "again")
    cluster.settle()
    assert cluster.answer_to(again) == "again"
    assert [found.voters for _, found in cluster.actors[4].configurations][-1] == (3, 4)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_forced_quorum_survives_a_restart(confirmed):
    cluster = cluster_of(5)
    for node in (0, 1, 2):
        cluster.crash(node)
    cluster.invariants.forced = True
    for node in (3, 4):
        cluster.ask(node, ForceQuorum((3, 4)))
    if confirmed:
        cluster.elect(3)
    for node in (3, 4):
        cluster.crash(node)
        cluster.start(node)
    assert configuration(cluster, 3).voters == (3, 4)
    cluster.elect(4)
    cluster.settle()
    assert cluster.leaders == [4]
    assert configuration(cluster, 3).serial == configuration(cluster, 4).serial == 1
