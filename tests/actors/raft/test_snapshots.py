"""Log compaction (§7): snapshots taken, sent in chunks, resumed, and what stands in them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from raft_cluster import PLAIN, RaftCluster
from scenario import command

from actors.protocols.raft_messages import AppendEntries, InstallSnapshot, SnapshotTaken
from actors.state.key_value import KeyValue
from actors.state.log import LogId

COMPACTING = msgspec.structs.replace(PLAIN, snapshot_every=10, trailing=3, chunk=4)


def behind(servers=3, writes=25, settings=COMPACTING):
    """A cluster led by its first node whose last one has missed all that was written."""
    cluster = RaftCluster(servers, settings=settings)
    last = servers - 1
    others = set(range(last))
    cluster.elect(0, among=others)
    for number in range(writes):
        cluster.propose(0, number, key=f"k{number}")
        cluster.settle(others)
    cluster.isolate(last)
    return cluster


def test_each_server_compacts_its_own_log_and_keeps_the_trailing_entries():
    cluster = behind()
    for node in (0, 1):
        log = cluster.actors[node].log
        assert (log.start, log.last_index) == (17, 26)
        assert cluster.actors[node].snapshot.last == LogId(1, 20)


def test_the_disk_holds_what_the_memory_holds_after_a_compaction():
    cluster = behind()
    before = cluster.actors[0]
    cluster.crash(0)
    cluster.start(0)
    after = cluster.actors[0]
    assert (after.log, after.snapshot) == (before.log, before.snapshot)
    assert after.commit == after.applied == 20, "what lies behind the snapshot must be committed anew"
    assert after.machine.values == {f"k{number}": number for number in range(19)}


def test_a_follower_that_lacks_what_is_gone_gets_a_snapshot_in_chunks():
    """§7: the leader sends snapshots to followers that lag behind, in chunks by offset."""
    cluster = behind()
    cluster.heartbeat(0)
    assert cluster.actors[2].log.last_index == 26
    assert cluster.values(2) == cluster.values(0)
    assert cluster.actors[2].snapshot == cluster.actors[0].snapshot
    assert cluster.actors[0].progress[2].snapshot is None


def test_a_lost_chunk_is_sent_again_with_the_next_heartbeat_and_nothing_twice():
    cluster = behind()
    cluster.fire(0, "heartbeat")
    chunks = 0
    while letters := cluster.letters(0, 2) + cluster.letters(2, 0):
        letter = letters[0]
        if isinstance(letter.message, InstallSnapshot):
            chunks += 1
            if chunks == 3:
                cluster.isolate(2)
                cluster.fire(0, "heartbeat")
                assert cluster.letters(0, 2)[-1].message.offset == letter.message.offset
                continue
        cluster.deliver(letter)
    items = len(cluster.actors[0].snapshot.items)
    assert chunks == -(-items // COMPACTING.chunk) + 1
    assert cluster.values(2) == cluster.values(0)


def test_a_leader_that_follows_goes_on_where_the_last_one_stopped():
    cluster = behind()
    cluster.fire(0, "heartbeat")
    while cluster.actors[2].incoming is None or len(cluster.actors[2].incoming.items) < 8:
        cluster.deliver((cluster.letters(0, 2) + cluster.letters(2, 0))[0])
    cluster.isolate(2)
    cluster.elect(1, among={0, 1})
    cluster.fire(1, "heartbeat")
    offsets = []
    while letters := cluster.letters(1, 2) + cluster.letters(2, 1):
        if isinstance(letters[0].message, InstallSnapshot):
            offsets.append(letters[0].message.offset)
        cluster.deliver(letters[0])
    assert offsets[:2] == [0, 8], "the first answer says what is there already"
    assert cluster.values(2) == cluster.values(1)


def test_writes_go_on_while_a_snapshot_is_sent_and_the_leader_keeps_what_follows_it():
    cluster = behind()
    cluster.fire(0, "heartbeat")
    for number in range(100, 115):  # the leader would compact beyond the snapshot meanwhile
        cluster.propose(0, number)
        cluster.settle({0, 1})
        for letter in cluster.letters(0, 2)[:1] + cluster.letters(2, 0)[:1]:
            cluster.deliver(letter)
    assert cluster.actors[0].log.start <= 20
    cluster.settle()
    cluster.heartbeat(0)
    assert cluster.values(2) == cluster.values(0)


def test_a_follower_that_never_comes_back_does_not_keep_the_leaders_log_for_ever():
    cluster = behind()
    cluster.fire(0, "heartbeat")
    for number in range(200):
        cluster.propose(0, number)
        cluster.settle({0, 1})
    assert len(cluster.actors[0].log.entries) <= COMPACTING.snapshot_every + COMPACTING.trailing
    cluster.isolate(2)
    cluster.heartbeat(0)
    assert cluster.values(2) == cluster.values(0)


def test_a_snapshot_of_what_is_here_already_only_commits_it():
    """§7: retain log entries following it."""
    cluster = RaftCluster(2, settings=PLAIN)
    cluster.elect(0)
    for number in range(5):
        cluster.propose(0, number)
        for letter in cluster.letters(0, 1):
            cluster.deliver(letter)
    follower = cluster.actors[1]
    before = list(follower.log.entries)
    late = InstallSnapshot(1, follower.log.id_at(3), follower.configuration, 0, (), 0)
    cluster.step(1, lambda: follower.on_install_snapshot(0, late))
    assert (follower.log.entries, follower.snapshot) == (before, None)
    assert follower.commit >= 3


def test_entries_before_the_snapshot_are_skipped_not_appended_again():
    """Zoo 9: a delayed message that begins before what is compacted."""
    cluster = behind()
    follower = cluster.actors[1]
    before = list(follower.log.entries)
    old = AppendEntries(1, LogId(0, 0), (), 0)
    cluster.step(1, lambda: follower.on_append_entries(0, old))
    assert follower.log.entries == before
    entries = tuple(follower.log.entries[:4])
    long = AppendEntries(1, LogId(1, 17), entries, 0)
    cluster.step(1, lambda: follower.on_append_entries(0, long))
    assert follower.log.entries == before


def test_a_restart_in_the_middle_of_a_snapshot_begins_it_anew():
    cluster = behind()
    cluster.fire(0, "heartbeat")
    for _ in range(6):
        cluster.deliver((cluster.letters(0, 2) + cluster.letters(2, 0))[0])
    assert cluster.actors[2].incoming is not None
    cluster.crash(2)
    cluster.start(2)
    cluster.settle()
    cluster.heartbeat(0)
    assert cluster.values(2) == cluster.values(0)
    assert not cluster.letters(kind=SnapshotTaken)


COMMANDS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.sampled_from(["write", "append"]), st.sampled_from("ab")),
    max_size=30,
)


@given(COMMANDS, st.integers(0, 30), st.integers(1, 8))
def test_a_machine_from_a_snapshot_goes_on_as_the_one_that_it_was_taken_of(commands, taken_at, expiry):
    """§7 and thesis §6.3: sessions and their expiry are part of the state, in the snapshot as in the log."""
    whole, other = KeyValue(), KeyValue()
    for at, (process, serial, function, key) in enumerate(commands, start=1):
        made = command(process, serial, function, key, at)
        answers = [machine.apply(made, at) for machine in (whole, other)]
        assert answers[0] == answers[1]
        for machine in (whole, other):
            machine.expire(at - expiry)
        if at == taken_at:
            items = other.items()
            other = KeyValue()
            other.load(items)
    assert whole.items() == other.items()


def test_a_session_expires_at_the_same_entry_on_every_replica_and_its_client_is_told():
    """Thesis §6.3: replicas must agree on when a session expires."""
    cluster = RaftCluster(3, settings=msgspec.structs.replace(PLAIN, session_entries=8))
    cluster.elect(0)
    first = cluster.propose(0, "once", function="append", key="list")
    for _ in range(12):
        cluster.propose(0)
    cluster.settle()
    cluster.heartbeat(0)
    expired = [sorted(actor.machine.expired) for actor in cluster.actors.values()]
    assert first.process in expired[0]
    assert expired[0] == expired[1] == expired[2]
    again = cluster.repeat(0, first)
    cluster.settle()
    assert cluster.answer_to(again) == "session-expired"
    assert cluster.values(0)["list"] == ("once",), "a late copy of a command is not carried out again"


@pytest.mark.parametrize("expiry", [None, 100])
def test_a_command_that_comes_twice_is_applied_once(expiry):
    """§8: exactly once."""
    cluster = RaftCluster(3, settings=msgspec.structs.replace(PLAIN, session_entries=expiry))
    cluster.elect(0)
    sent = cluster.propose(0, "once", function="append", key="list")
    cluster.repeat(0, sent)
    cluster.settle()
    assert cluster.values(0)["list"] == ("once",)
    assert cluster.answer_to(sent) == "once"
