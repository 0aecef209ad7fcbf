"""What became of writes, by histories written out: one that is right, ones that are wrong, ones that say nothing."""

from collections.abc import Sequence

import msgspec
import pytest

from actors.history import Operation
from actors.protocols.dynamo_messages import Configured, Held
from actors.protocols.membership_gossip import HealthChanged
from cluster.journal import NodeStarted, NodeStopped
from cluster.topology import Topology
from experiments.checkers.membership import membership
from experiments.checkers.replicas import replicas_agree
from experiments.checkers.siblings import (
    acknowledged_kept,
    acknowledged_visible,
    context_sessions,
    no_false_siblings,
    no_resurrection,
)
from experiments.recording import Observed

TOPOLOGY = Topology(("lan",) * 4, 3)
S = 1_000_000_000


def op(function: str, at: int, value: object = None, result: object = None, *, outcome: str = "ok") -> Operation:
    """An operation that takes one second from second `at` on."""
    ended = (at + 1) * S
    return Operation(
        process=at,
        node=3,
        workload="siblings",
        function=function,
        key="k1",
        value=value,  # type: ignore[arg-type]
        intended_ns=at * S,
        invoke_ns=at * S,
        return_ns=None if outcome == "info" else ended,
        outcome=outcome,  # type: ignore[arg-type]
        result=result,  # type: ignore[arg-type]
        ended_ns=ended,
    )


def put(at: int, value: int, *seen: int, outcome: str = "ok") -> Operation:
    return op("put", at, (value, *seen), outcome=outcome)


def get(at: int, *siblings: int) -> Operation:
    return op("get", at, None, siblings)


def delete(at: int, *seen: int) -> Operation:
    return op("delete", at, (None, *seen))


def mine(operation: Operation) -> Operation:
    """The same by process 99, whose session this is."""
    return msgspec.structs.replace(operation, process=99)


RIGHT = [put(0, 1), put(2, 2), get(4, 1, 2), put(6, 3, 1, 2), get(8, 3), delete(10, 3), get(12)]
LOST = [put(0, 1), put(2, 2), get(4, 2)]
COVERED_BY_A_MAYBE = [put(0, 1), put(2, 2, 1, outcome="info"), get(4)]
KEPT_IN_VAIN = [put(0, 1), put(2, 2, 1), get(4, 1, 2)]
BACK = [put(0, 1), delete(2, 1), get(4), get(6, 1)]
STALE_THEN_FINE = [put(0, 1), get(2), get(4, 1)]
OVERLAPPING = [put(0, 1), op("get", 0, None, ()), get(4, 1)]


@pytest.mark.parametrize(
    ("check", "history", "valid"),
    [
        (acknowledged_kept, RIGHT, True),
        (acknowledged_kept, LOST, False),
        (acknowledged_kept, COVERED_BY_A_MAYBE, True),
        (acknowledged_kept, STALE_THEN_FINE, True),
        (acknowledged_kept, [put(0, 1, outcome="fail"), get(2)], True),
        (acknowledged_kept, [put(0, 1)], "unknown"),
        (no_false_siblings, RIGHT, True),
        (no_false_siblings, KEPT_IN_VAIN, False),
        (no_false_siblings, [], "unknown"),
        (no_resurrection, RIGHT, True),
        (no_resurrection, BACK, False),
        (no_resurrection, KEPT_IN_VAIN, True),
        (no_resurrection, [put(0, 1)], "unknown"),
        (acknowledged_visible, RIGHT, True),
        (acknowledged_visible, STALE_THEN_FINE, False),
        (acknowledged_visible, OVERLAPPING, True),
        (acknowledged_visible, COVERED_BY_A_MAYBE, True),
        (acknowledged_visible, [get(0)], "unknown"),
        (context_sessions, [mine(put(0, 1)), mine(get(2, 1)), mine(get(4, 1, 2))], True),
        (context_sessions, [mine(put(0, 1)), mine(get(2))], False),
        (context_sessions, [put(0, 1), mine(get(2, 1)), mine(get(4))], False),
        (context_sessions, [put(0, 1), mine(get(2, 1)), put(4, 2, 1), mine(get(6, 2))], True),
        (context_sessions, [put(0, 1), mine(get(2, 1)), get(4)], "unknown"),
    ],
)
def test_a_history_is_judged_as_it_is(check, history: Sequence[Operation], valid: object) -> None:
    assert check(history, TOPOLOGY.name).valid == valid


def test_a_verdict_names_the_operations() -> None:
    assert acknowledged_kept(LOST, TOPOLOGY.name).reason == (
        "acknowledged put of 1 to k1 by c1/0 (put, 0.0..1000.0 ms) is lost: "
        "c1/4 (get, 4000.0..5000.0 ms) does not see it, and no write had seen it before"
    )


# replicas


def told(*held: tuple[int, int, int]) -> list[Observed]:
    """(second, node, fingerprint) of k1; three replicas are wanted."""
    return [Observed(0, 0, Configured(3, 2, 2, True))] + [
        Observed(at * S, node, Held("k1", mark, 1, 1, 10)) for at, node, mark in held
    ]


@pytest.mark.parametrize(
    ("events", "end", "valid"),
    [
        (told((1, 0, 7), (1, 1, 7), (2, 2, 7)), 30, True),
        (told((1, 0, 7), (1, 1, 7), (2, 2, 8)), 30, False),
        (told((1, 0, 7), (1, 1, 7), (2, 2, 8)), 3, "unknown"),
        (told((1, 0, 7), (1, 1, 7)), 30, False),
        ([*told((1, 0, 7), (1, 1, 7), (2, 2, 8)), Observed(3 * S, 2, NodeStopped())], 30, False),
        ([], 30, "unknown"),
    ],
)
def test_replicas_agree_or_not(events, end: int, valid: object) -> None:
    verdict = replicas_agree(events, [put(0, 1)], [], end_ns=end * S, topology=TOPOLOGY)
    assert verdict.valid == valid, verdict.reason


# membership

DEAD_AT_2 = [Observed(S, 2, NodeStopped()), *(Observed(3 * S, node, HealthChanged(2, "dead", 0)) for node in (0, 1))]


@pytest.mark.parametrize(
    ("events", "end", "valid"),
    [
        (DEAD_AT_2, 60, True),
        (DEAD_AT_2[:2], 60, False),
        (DEAD_AT_2[:2], 5, "unknown"),
        ([*DEAD_AT_2, Observed(9 * S, 2, NodeStarted(1, "sim"))], 60, False),
        ([Observed(3 * S, 0, HealthChanged(2, "suspect", 0))], 60, True),
        ([], 60, "unknown"),
    ],
)
def test_membership_is_what_it_is(events, end: int, valid: object) -> None:
    assert membership(events, [], end_ns=end * S, topology=TOPOLOGY).valid == valid
