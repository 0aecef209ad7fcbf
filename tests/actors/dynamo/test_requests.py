"""What a coordinator does with one request, message by message. The client is node 5."""

import msgspec
import pytest
from dynamo_alone import KEY, preference, server
from scenario import tell

from actors.clocks.vector import NOTHING_SEEN, from_token
from actors.node import Stored
from actors.protocols.dynamo_messages import (
    Answer,
    Forwarded,
    Get,
    Put,
    ReadReplica,
    ReplicaRead,
    ReplicaWrote,
    WriteReplica,
)
from actors.protocols.dynamo_replica import fingerprint
from actors.protocols.membership_gossip import DEAD, Rumour

CLIENT = 5


def put(value: object = 7, *, context: bytes = b"", level: object = None, serial: int = 1, delete: bool = False) -> Put:
    return Put(0, serial, KEY, value, delete, context, level)  # type: ignore[arg-type]


def get(level: object = None) -> Get:
    return Get(0, 1, KEY, level)  # type: ignore[arg-type]


def bury(actor, *nodes: int) -> None:
    """Let a server take others for dead."""
    for node in nodes:
        actor.take_up(Rumour(node, health=DEAD))


def test_a_put_is_saved_sent_to_the_other_owners_and_answered_after_w_copies() -> None:
    actor, node = server()
    tell(actor, CLIENT, put())
    assert f"key {KEY}" in node.saved()
    assert {to for to, _ in node.sent(WriteReplica)} == set(preference()[1:3])
    assert node.sent(Answer) == []
    op = node.sent(WriteReplica)[0][1].op
    tell(actor, preference()[1], ReplicaWrote(op))
    ((to, answer),) = node.sent(Answer)
    assert (to, answer.error) == (CLIENT, None)


def test_a_puts_answer_covers_the_write_itself_and_no_sibling_that_the_client_has_not_seen() -> None:
    actor, node = server(w=1)
    tell(actor, CLIENT, put(1, serial=1))
    tell(actor, CLIENT, put(2, serial=2))
    first, second = (from_token(answer.context) for _, answer in node.sent(Answer))
    mine = next(iter(first.vector))
    assert second != NOTHING_SEEN
    assert not second.covers(mine), "the first write stands beside the second: its client never saw it"


def test_who_is_no_owner_passes_a_put_on() -> None:
    actor, node = server(3)
    tell(actor, CLIENT, put())
    ((to, forwarded),) = node.sent()
    assert to in preference()[:3]
    assert forwarded == Forwarded(CLIENT, put())


def test_a_strict_quorum_that_is_not_there_is_refused_before_anything_is_written() -> None:
    actor, node = server()
    bury(actor, *preference()[1:3])
    node.forget()
    tell(actor, CLIENT, put())
    assert [answer.error for _, answer in node.sent(Answer)] == ["unavailable"]
    assert not actor.store
    assert not node.stored()


def test_a_sloppy_quorum_goes_to_stand_ins_and_counts_them_for_the_owners() -> None:
    actor, node = server(quorum="sloppy")
    order = preference()
    bury(actor, *order[1:3])
    node.forget()
    tell(actor, CLIENT, put())
    assert {(to, write.stands_for) for to, write in node.sent(WriteReplica)} == {
        (order[3], order[1]),
        (order[4], order[2]),
    }
    op = node.sent(WriteReplica)[0][1].op
    tell(actor, order[3], ReplicaWrote(op, order[1]))
    assert [answer.error for _, answer in node.sent(Answer)] == [None]


def test_in_a_strict_quorum_a_hint_is_kept_and_counts_for_nothing() -> None:
    actor, node = server()
    order = preference()
    bury(actor, order[1])
    node.forget()
    tell(actor, CLIENT, put())
    assert f"hint {order[1]} {KEY}" in node.saved()
    assert node.sent(Answer) == []


def test_an_owner_that_stays_silent_gets_a_hint_and_the_client_an_indefinite_error() -> None:
    actor, node = server()
    tell(actor, CLIENT, put())
    node.fire(actor, "deadline")
    assert [answer.error for _, answer in node.sent(Answer)] == ["too-few-replicas"]
    assert set(actor.hints) == set(preference()[1:3])
    assert actor.store, "a write that failed is not rolled back"


@pytest.mark.parametrize("level", [1, "one", "any"])
def test_a_request_may_name_its_own_level(level: object) -> None:
    actor, node = server()
    tell(actor, CLIENT, put(level=level))
    assert [answer.error for _, answer in node.sent(Answer)] == [None]


def test_a_foreign_context_is_refused() -> None:
    actor, node = server()
    tell(actor, CLIENT, put(context=b"\x01\x02"))
    assert [answer.error for _, answer in node.sent(Answer)] == ["bad-context"]


def test_too_many_siblings_are_refused_and_warned_of_before() -> None:
    actor, node = server(w=1, siblings_warn=2, siblings_most=3)
    for serial in range(1, 6):
        tell(actor, CLIENT, put(serial, serial=serial))
    assert [answer.error for _, answer in node.sent(Answer)] == [None, None, None, *["too-many-siblings"] * 2]
    assert [event.siblings for event in node.emitted() if type(event).__name__ == "TooManySiblings"] == [2, 3, 4, 4]


# reads


def held(value: int, replica: int = 0):
    """What a replica holds that took one write."""
    actor, _ = server(replica, w=1)
    tell(actor, CLIENT, put(value))
    return actor.clock_of(KEY)


def test_a_get_merges_what_r_replicas_hold_and_repairs_who_is_behind() -> None:
    actor, node = server(3)
    tell(actor, CLIENT, get())
    asked = [to for to, _ in node.sent(ReadReplica)]
    assert set(asked) == set(preference()[:3])
    op = node.sent(ReadReplica)[0][1].op
    newer = held(9)
    node.forget()
    tell(actor, asked[0], ReplicaRead(op, 0, None))
    assert node.sent() == []
    tell(actor, asked[1], ReplicaRead(op, fingerprint(newer), newer))
    assert [answer.siblings for _, answer in node.sent(Answer)] == [(9,)]
    assert [(to, write.clock) for to, write in node.sent(WriteReplica)] == [(asked[0], newer)]


def test_with_digests_only_a_differing_one_is_fetched() -> None:
    actor, node = server(3, digest_reads=True, ask="needed")
    tell(actor, CLIENT, get())
    (first, second), (full, digest) = zip(*node.sent(ReadReplica), strict=True)
    assert (full.digest, digest.digest) == (False, True)
    older, newer = held(1), held(2, 1)
    node.forget()
    tell(actor, first, ReplicaRead(full.op, fingerprint(older), older))
    tell(actor, second, ReplicaRead(full.op, fingerprint(newer), None))
    assert node.sent() == [(second, ReadReplica(full.op, KEY, False))]
    tell(actor, second, ReplicaRead(full.op, fingerprint(newer), newer))
    assert sorted(node.sent(Answer)[0][1].siblings) == [1, 2]


def test_blocking_repair_answers_once_a_quorum_holds_what_was_found() -> None:
    actor, node = server(3, read_repair="blocking")
    tell(actor, CLIENT, get())
    asked = [to for to, _ in node.sent(ReadReplica)]
    op, found = node.sent(ReadReplica)[0][1].op, held(9)
    tell(actor, asked[0], ReplicaRead(op, 0, None))
    tell(actor, asked[1], ReplicaRead(op, fingerprint(found), found))
    assert node.sent(Answer) == []
    tell(actor, asked[0], ReplicaWrote(op))
    assert [answer.siblings for _, answer in node.sent(Answer)] == [(9,)]


def test_a_slow_replica_makes_the_coordinator_ask_one_more() -> None:
    actor, node = server(3, ask="needed", speculative_retry_ns=1000)
    tell(actor, CLIENT, get())
    assert len(node.sent(ReadReplica)) == 2
    node.fire(actor, "speculate")
    assert {to for to, _ in node.sent(ReadReplica)} == set(preference()[:3])


def test_a_tombstone_is_no_sibling_for_clients_but_its_context_is() -> None:
    actor, node = server(w=1, r=1)
    tell(actor, CLIENT, put(1))
    seen = node.sent(Answer)[0][1].context
    tell(actor, CLIENT, put(None, context=seen, serial=2, delete=True))
    node.forget()
    tell(actor, CLIENT, get())
    op = node.sent(ReadReplica)[0][1].op
    clock = actor.clock_of(KEY)
    tell(actor, node.id, ReplicaRead(op, fingerprint(clock), clock))
    ((_, answer),) = node.sent(Answer)
    assert answer.siblings == ()
    assert from_token(answer.context) != NOTHING_SEEN


def test_a_server_that_restarts_holds_what_its_disk_kept() -> None:
    actor, node = server(w=1)
    tell(actor, CLIENT, put(1))
    facts = msgspec.msgpack.decode(msgspec.msgpack.encode(node.saved()))  # as a disk gives them back
    again, _ = server(disk=Stored(facts))
    assert again.store == actor.store
    assert again.trees[again.partition(KEY)].root == actor.trees[actor.partition(KEY)].root


def test_a_state_comes_back_as_it_was() -> None:
    actor, _ = server()
    tell(actor, CLIENT, put(1))
    tell(actor, CLIENT, get())
    again, _ = server()
    again.restore(actor.state())
    again.check()
    assert again.state() == actor.state()
