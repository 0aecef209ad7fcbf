"""Stories that the right Raft comes through and one wrong variant doesn't: every step is said, nothing is drawn.

A story takes the kind of Raft, tells its steps to a cluster of cores, and asserts what Raft promises. What the
cluster's invariants see on the way raises `raft_invariants.Violation`.
"""

import msgspec
from raft_cluster import PLAIN, Letter, RaftCluster

from actors.client import Request
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import (
    Appended,
    AppendEntries,
    PreVote,
    Reconfigure,
    Rejected,
    RequestVote,
    Vote,
)
from actors.settings import MS
from actors.state.log import LogId

Kind = type[Raft]


def cluster_of(kind: Kind, servers: int = 3, **settings: object) -> RaftCluster:
    return RaftCluster(servers, kind=kind, settings=msgspec.structs.replace(PLAIN, **settings))


def led(kind: Kind, servers: int = 3, **settings: object) -> RaftCluster:
    """Led by the first node, whose empty entry all have committed."""
    cluster = cluster_of(kind, servers, **settings)
    cluster.clock_ns = 1000 * MS
    cluster.elect(0)
    cluster.heartbeat(0)
    return cluster


# elections


def a_voter_crashes_between_two_candidates(kind: Kind) -> None:
    """Figure 2: votedFor is persistent state."""
    cluster = cluster_of(kind)
    elect_silently(cluster, 0, {0, 2})
    cluster.crash(2)
    cluster.start(2)
    elect_silently(cluster, 1, {1, 2})


def a_server_that_missed_a_write_stands(kind: Kind) -> None:
    """§5.4.1."""
    cluster = led(kind)
    cluster.propose(0, "kept")
    cluster.settle({0, 1})
    cluster.isolate(2)
    cluster.elect(2, among={1, 2})
    cluster.elect(2, among={1, 2})


def a_vote_of_an_earlier_term_arrives_late(kind: Kind) -> None:
    """§5.2: votes count for their own term only."""
    cluster = cluster_of(kind)
    cluster.fire(0, "election")
    cluster.deliver(cluster.letters(0, 1, RequestVote)[0])
    late = cluster.letters(1, 0, Vote)[0]
    cluster.mail.clear()
    cluster.fire(0, "election")
    cluster.mail.clear()
    cluster.fire(1, "election")
    cluster.settle({1, 2})
    cluster.hand(late)


def a_leader_is_asked_for_a_pre_vote_after_a_silent_time_out(kind: Kind) -> None:
    """Thesis §4.2.3. The heartbeat is as long as the time-out: followers are impatient, but nothing may happen."""
    cluster = led(kind, pre_vote=True)
    cluster.clock_ns += 200 * MS
    last = cluster.actors[1].log.last_id
    cluster.hand(Letter(1, 0, PreVote(2, last)))
    answer = cluster.letters(0, 1)[-1].message
    assert not answer.granted, "a leader helps to unseat itself"


def half_of_the_servers_vote_for_each_of_two(kind: Kind) -> None:
    cluster = cluster_of(kind, 4)
    cluster.elect(0, among={0, 1})
    cluster.elect(2, among={2, 3})


def nobodys_answers_reach_the_leader(kind: Kind) -> None:
    """A one-way cut: the leader must step down, since its followers, who hear it, won't vote for another."""
    cluster = led(kind, pre_vote=True, check_quorum=True)
    for _ in range(3):
        cluster.fire(0, "heartbeat")
        for letter in cluster.letters(source=0):
            cluster.deliver(letter)
        cluster.drop(target=0)
        if "quorum" in cluster.nodes[0].timers:
            cluster.fire(0, "quorum")
        if not cluster.leaders:
            break
    assert cluster.leaders == [], "a leader that can commit nothing keeps all others away"


def three_servers_start_at_one_moment(kind: Kind) -> None:
    """§5.2: randomised election time-outs, so that split votes are resolved quickly."""
    cluster = cluster_of(kind)
    for _ in range(20):
        due = {node: cluster.nodes[node].timers["election"] for node in range(3)}
        first = min(due.values())
        cluster.clock_ns = first
        for node in range(3):
            if due[node] < first + 5 * MS and cluster.actors[node].role != "leader":
                cluster.fire(node, "election")
        cluster.settle()
        if cluster.leaders:
            return
    raise AssertionError("20 elections without a leader")


# replication and commitment


def figure_8(kind: Kind) -> None:
    """An old leader's entry stands on a majority and is overwritten all the same: copies of it must not count."""
    cluster = cluster_of(kind, 5, batch=1)
    cluster.elect(0)
    cluster.heartbeat(0)
    cluster.propose(0, "two")  # (a) on servers 0 and 1 only
    cluster.settle({0, 1})
    cluster.mail.clear()
    cluster.crash(0)
    elect_silently(cluster, 4, {2, 3, 4})  # (b) server 4 leads, with another entry at that place
    cluster.crash(4)
    cluster.start(0)
    elect_silently(cluster, 0, {0, 1, 2})
    elect_silently(cluster, 0, {0, 1, 2})  # (c) server 0 leads again, and goes on replicating the entry
    assert cluster.leaders == [0]
    cluster.fire(0, "heartbeat")
    cluster.settle({0, 1})
    while cluster.actors[0].progress[2].match < 2:
        cluster.deliver((cluster.letters(0, 2) + cluster.letters(2, 0))[0])
    cluster.mail.clear()
    cluster.crash(0)
    cluster.start(4)
    while 4 not in cluster.leaders:
        cluster.elect(4, among={2, 3, 4})  # (d) server 4 leads with the votes of 2 and 3
    cluster.heartbeat(4, among={2, 3, 4})
    assert cluster.actors[2].log[2].term == cluster.actors[4].log[2].term


def elect_silently(cluster: RaftCluster, node: int, among: set[int]) -> None:
    """A node stands and these vote; of what it sends as a leader nothing arrives."""
    cluster.fire(node, "election")
    for letter in cluster.letters(node, kind=RequestVote):
        if letter.target in among:
            cluster.deliver(letter)
    for letter in cluster.letters(target=node, kind=Vote):
        cluster.deliver(letter)
    cluster.mail.clear()


def a_late_message_with_an_old_commit(kind: Kind) -> None:
    cluster = led(kind)
    cluster.propose(0, "one")
    old = cluster.letters(0, 1)[-1]
    cluster.settle()
    cluster.propose(0, "two")
    cluster.settle()
    cluster.heartbeat(0)
    cluster.hand(old)


def acknowledgements_overtake_each_other(kind: Kind) -> None:
    """Matches only grow within a term (figure 2: matchIndex increases monotonically)."""
    cluster = led(kind)
    cluster.propose(0, "one")
    cluster.deliver(cluster.letters(0, 1)[0])
    late = cluster.letters(1, 0, Appended)[0]
    cluster.settle()
    cluster.propose(0, "two")
    cluster.settle()
    before = cluster.actors[0].progress[1].match
    cluster.hand(late)
    assert cluster.actors[0].progress[1].match == before, "what a follower was known to hold is forgotten"


def a_late_message_ends_before_the_log_does(kind: Kind) -> None:
    """§5.3: only a conflict cuts. The entries behind it were acknowledged."""
    cluster = led(kind)
    cluster.propose(0, "one")
    first = cluster.letters(0, 1)[-1]
    cluster.propose(0, "two")
    cluster.settle({0, 1})
    cluster.hand(first)
    cluster.isolate(0)
    cluster.isolate(2)
    cluster.elect(1, among={1, 2})
    cluster.elect(2, among={1, 2})


def a_new_leader_has_an_uncommitted_entry_of_the_last_one(kind: Kind) -> None:
    """§5.4.2: committed along with the first entry of the new term."""
    cluster = led(kind)
    write = cluster.propose(0, "left behind")
    for letter in cluster.letters(0, 1):
        cluster.deliver(letter)
    cluster.mail.clear()
    cluster.crash(0)
    cluster.elect(1, among={1, 2})
    cluster.propose(1, "new")
    cluster.settle({1, 2})
    assert cluster.values(1) == {"x": "new"}, "nothing is committed any more"
    assert write.process in cluster.actors[1].machine.sessions


def a_refusal_arrives_after_the_follower_agreed(kind: Kind) -> None:
    """Waste: what a follower is known to hold is not sent again."""
    cluster = led(kind)
    for _ in range(5):
        cluster.propose(0)
    cluster.settle()
    leader = cluster.actors[0]
    cluster.hand(Letter(1, 0, Rejected(leader.term, leader.log.last_index, 0)))
    assert not cluster.letters(0, 1), "a follower is sent again what it is known to hold"


def a_client_asks_twice(kind: Kind) -> None:
    """§8: without a session an append that was retried is there twice."""
    cluster = led(kind)
    command = cluster.propose(0, "item", function="append", key="list")
    cluster.hand(Letter(cluster.client, 0, Request(command)))
    cluster.settle()
    assert cluster.values(0)["list"] == ("item",), "applied twice"


def the_leader_alone_holds_a_write(kind: Kind) -> None:
    cluster = led(kind)
    write = cluster.propose(0, "alone")
    cluster.isolate(0)
    told = cluster.answer_to(write)
    cluster.mail.clear()
    cluster.elect(1, among={1, 2})
    assert told is None, "acknowledged, though nobody else has it"


# snapshots


def a_message_that_began_before_the_snapshot_comes_late(kind: Kind) -> None:
    """What is compacted was committed: of such a message only what lies behind the snapshot is news."""
    cluster = led(kind, snapshot_every=5, trailing=0)
    for _ in range(3):
        cluster.propose(0)
    cluster.settle()
    late = AppendEntries(1, LogId(1, 1), tuple(cluster.actors[0].log.entries[1:4]), 1)
    for _ in range(6):
        cluster.propose(0)
        cluster.settle()
    cluster.heartbeat(0)
    assert cluster.actors[1].log.start == cluster.actors[1].log.last_index
    cluster.hand(Letter(0, 1, late))
    cluster.propose(0)
    cluster.settle()


def a_follower_that_needs_a_snapshot_has_entries_of_its_own(kind: Kind) -> None:
    """It holds an entry that was never committed, where the leader has committed others and compacted them."""
    cluster = led(kind, snapshot_every=5, trailing=0)
    cluster.elect(2)
    cluster.propose(2, "never committed")
    cluster.mail.clear()
    cluster.elect(0, among={0, 1})
    for _ in range(12):
        cluster.propose(0)
        cluster.settle({0, 1})
    cluster.isolate(2)
    for _ in range(3):
        cluster.heartbeat(0)
    assert cluster.values(2) == cluster.values(0)


def a_snapshot_of_an_earlier_term_is_taken(kind: Kind) -> None:
    """A server's term never goes back (§5.1), not even to that of a snapshot's last entry."""
    cluster = led(kind, snapshot_every=5, trailing=0)
    for _ in range(12):
        cluster.propose(0)
        cluster.settle({0, 1})
    cluster.isolate(2)
    cluster.elect(1, among={0, 1})
    cluster.fire(1, "heartbeat")
    while cluster.actors[2].snapshot is None:
        cluster.deliver((cluster.letters(1, 2) + cluster.letters(2, 1))[0])
    assert cluster.actors[2].term == cluster.actors[1].term, "it may vote a second time in a term that it was in"


# disks


def the_power_fails_before_a_followers_disk_is_done(kind: Kind) -> None:
    """Order that must hold: entries are durable before the message that acknowledges them leaves."""
    cluster = led(kind)
    cluster.nodes[1].slow = True
    write = cluster.propose(0, "new")
    cluster.settle({0, 1})
    told = cluster.answer_to(write)
    cluster.isolate(2)
    for node in (0, 1):
        cluster.crash(node)
        if node:
            cluster.start(node)
    cluster.elect(1, among={1, 2})
    assert told is None, "acknowledged, and lost with the power"


def the_power_fails_before_the_leaders_disk_is_done(kind: Kind) -> None:
    cluster = led(kind, parallel_write=True)
    cluster.nodes[0].slow = True
    write = cluster.propose(0, "new")
    cluster.settle({0, 1})
    told = cluster.answer_to(write)
    cluster.isolate(2)
    cluster.crash(0)
    cluster.crash(1)
    cluster.start(0)
    cluster.elect(0, among={0, 2})
    assert told is None, "acknowledged, and lost with the power"


def a_checksum_in_the_middle_of_a_log_is_wrong(kind: Kind) -> None:
    """Bit rot is detected and reported, not voted over."""
    cluster = led(kind)
    cluster.propose(0, "kept")
    cluster.settle({0, 1})
    cluster.isolate(2)
    cluster.crash(0)
    cluster.crash(1)
    image = cluster.images[1]
    had = len(image.logs["log"])
    del image.logs["log"][1:]
    image.rotten["log"] = had
    cluster.start(1)
    cluster.elect(2, among={1, 2})
    cluster.elect(1, among={1, 2})


# members


def the_bug_of_2015(kind: Kind) -> None:
    """Two leaders change one voter each, and the second has committed nothing in its term.

    Of the voters 0 to 3, server 0 adds 4, and server 1 then removes 0; majorities of {0..4} and {1, 2, 3} need not
    meet. Source: Ongaro, "bug in single-server membership changes", raft-dev, 2015.
    """
    cluster = led(kind, 5, voters=4, promote_lag=100)
    cluster.ask(0, Reconfigure((0, 1, 2, 3), learners=(4,)))
    cluster.settle()
    cluster.heartbeat(0)
    cluster.ask(0, Reconfigure((0, 1, 2, 3, 4)))
    cluster.settle({0, 4})  # servers 0 and 4 alone know of it
    cluster.mail.clear()
    elect_silently(cluster, 1, {1, 2, 3})
    cluster.ask(1, Reconfigure((1, 2, 3), learners=(4,)))
    cluster.settle({1, 2})
    cluster.mail.clear()
    cluster.crash(0)
    cluster.start(0)
    elect_silently(cluster, 0, {0, 3, 4})
    elect_silently(cluster, 0, {0, 3, 4})


def a_voters_configuration_lags_behind(kind: Kind) -> None:
    """Thesis §4.2.2: a voter may not have heard yet that the candidate was added."""
    cluster = led(kind, 4, voters=3)
    cluster.hand_vote_request(candidate=3, voter=1, term=9)
    assert cluster.actors[1].voted_for == 3, "a new voter can't win while others have not heard of it"


def a_restart_between_append_and_commit_of_a_configuration(kind: Kind) -> None:
    """§6: the latest configuration in the log, committed or not. Server 0 alone would decide in the old one."""
    cluster = led(kind, 2, voters=1, promote_lag=100)
    cluster.ask(0, Reconfigure((0, 1)))
    cluster.settle()
    cluster.heartbeat(0)
    assert cluster.actors[1].configuration.voters == (0, 1)
    cluster.crash(0)
    cluster.start(0)
    cluster.mail.clear()
    cluster.fire(0, "election")
    assert cluster.leaders == [], "a server decides alone, though its log says that it is one of two"


def only_learners_hold_a_write(kind: Kind) -> None:
    cluster = led(kind, 5, voters=3, learners=2)
    write = cluster.propose(0, "new")
    cluster.settle({0, 3, 4})
    told = cluster.answer_to(write)
    cluster.mail.clear()
    cluster.crash(0)
    cluster.elect(1, among={1, 2})
    assert told is None, "acknowledged, though no other voter has it"


def a_leader_finds_a_joint_configuration_that_is_not_committed(kind: Kind) -> None:
    """§6: C-new may follow only once C-old,new is committed."""
    cluster = led(kind, 5, voters=3, promote_lag=100)
    cluster.ask(0, Reconfigure((0, 1, 2), learners=(3, 4)))
    cluster.settle()
    cluster.heartbeat(0)
    cluster.ask(0, Reconfigure((2, 3, 4)))
    for node in (2, 3, 4):
        for letter in cluster.letters(0, node):
            cluster.deliver(letter)
    cluster.mail.clear()
    elect_silently(cluster, 2, {0, 1, 2, 3, 4})
    assert cluster.leaders == [2]
    assert cluster.actors[2].configuration.is_joint, "the joint configuration was left before it was committed"


def a_server_without_a_log_is_added_and_does_not_answer(kind: Kind) -> None:
    """Thesis §4.2.1: the cluster must not need what can't answer yet. One of two goes on with its learner."""
    cluster = led(kind, 2, voters=1)
    cluster.ask(0, Reconfigure((0, 1)))
    cluster.settle({0})
    write = cluster.propose(0, "new")
    cluster.settle({0})
    assert cluster.answer_to(write) == "new", "the leader is stranded with an empty server that it needs"


# reads


def a_leader_is_read_that_was_replaced(kind: Kind) -> None:
    """Thesis §6.4: it doesn't know that another leader has committed since."""
    cluster = led(kind, reads="read-index")
    cluster.propose(0, "old")
    cluster.settle()
    cluster.isolate(0)
    cluster.elect(1, among={1, 2})
    cluster.propose(1, "new")
    cluster.settle({1, 2})
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) != "old", "a stale read"


def a_lease_is_read_while_clocks_drift_within_their_bound(kind: Kind) -> None:
    """The leader's clock is 9% slow and the others' 9% fast, where 10% is the bound."""
    cluster = cluster_of(kind, reads="lease", clock_drift=0.1)
    for node, rate in ((0, 0.91), (1, 1.09), (2, 1.09)):
        cluster.nodes[node].rate = rate
        cluster.actors[node].heard_ns = 0
    cluster.clock_ns = 1000 * MS
    cluster.elect(0)
    cluster.propose(0, "old")
    cluster.settle()
    cluster.heartbeat(0)
    cluster.isolate(0)
    cluster.clock_ns += int(150 * MS / 1.09) + 2  # by now the others no longer hear a leader
    cluster.elect(1, among={1, 2})
    cluster.propose(1, "new")
    cluster.settle({1, 2})
    assert cluster.values(1) == {"x": "new"}
    read = cluster.propose(0, function="read")
    assert cluster.answer_to(read) != "old", "a stale read"


CAUGHT_BY = {
    "vote-not-persisted": (a_voter_crashes_between_two_candidates, "election safety"),
    "no-log-freshness": (a_server_that_missed_a_write_stands, "leader completeness"),
    "commits-old-term": (figure_8, "leader completeness"),
    "counts-stale-votes": (a_vote_of_an_earlier_term_arrives_late, "election safety"),
    "commit-goes-back": (a_late_message_with_an_old_commit, "commit safety"),
    "match-goes-back": (acknowledgements_overtake_each_other, "is forgotten"),
    "truncates-on-length": (a_late_message_ends_before_the_log_does, "leader completeness"),
    "commit-stops-at-old-term": (a_new_leader_has_an_uncommitted_entry_of_the_last_one, "nothing is committed"),
    "blind-append-after-snapshot": (a_message_that_began_before_the_snapshot_comes_late, "log matching"),
    "empty-append-for-snapshot": (a_follower_that_needs_a_snapshot_has_entries_of_its_own, "safety"),
    "snapshot-lowers-term": (a_snapshot_of_an_earlier_term_is_taken, "vote a second time"),
    "leader-grants-pre-votes": (a_leader_is_asked_for_a_pre_vote_after_a_silent_time_out, "unseat itself"),
    "next-not-above-match": (a_refusal_arrives_after_the_follower_agreed, "known to hold"),
    "local-read": (a_leader_is_read_that_was_replaced, "stale read"),
    "acknowledges-unsaved": (the_power_fails_before_a_followers_disk_is_done, "leader completeness"),
    "counts-own-unsaved": (the_power_fails_before_the_leaders_disk_is_done, "leader completeness"),
    "change-before-own-commit": (the_bug_of_2015, "leader completeness"),
    "half-is-majority": (half_of_the_servers_vote_for_each_of_two, "election safety"),
    "lease-without-margin": (a_lease_is_read_while_clocks_drift_within_their_bound, "stale read"),
    "no-check-quorum": (nobodys_answers_reach_the_leader, "keeps all others away"),
    "no-sessions": (a_client_asks_twice, "applied twice"),
    "voter-checks-membership": (a_voters_configuration_lags_behind, "can't win"),
    "restarts-on-committed-configuration": (a_restart_between_append_and_commit_of_a_configuration, "decides alone"),
    "learners-count": (only_learners_hold_a_write, "leader completeness"),
    "leaves-uncommitted-joint": (a_leader_finds_a_joint_configuration_that_is_not_committed, "before it was committed"),
    "voter-at-once": (a_server_without_a_log_is_added_and_does_not_answer, "stranded"),
    "fixed-timeout": (three_servers_start_at_one_moment, "without a leader"),
    "commit-without-majority": (the_leader_alone_holds_a_write, "completeness|acknowledged"),
    "votes-with-rotten-log": (a_checksum_in_the_middle_of_a_log_is_wrong, "leader completeness"),
}
"""The story that each mutant of Raft does not come through, and what it must be accused of. A new one gets its line."""
