"""Causal consistency, decided by what a history must not have.

Sources: Ahamad, Neiger, Burns, Kohli and Hutto, "Causal memory: definitions, implementation, and programming",
Distributed Computing 9(1), 1995; Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency", POPL 2017
(the bad patterns of causal memory, CM, for histories in which each value is written once).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.causal_order import Order, case_of, contradiction, is_cycle, unwritten
from experiments.checkers.sessions import why_unknown
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import accesses


def causal(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """What a process has seen, and what that was caused by, it never misses afterwards.

    Causal order: each process's own order, and from a write to those who read it. Forbidden are: a cycle of that order,
    a read of a value that nobody wrote, a read of a version (or of none) though a newer one comes between it and the
    read, newer in causal order, and reads of one process that no order of all writes explains which respects causes.

    Sound and complete for causal memory (CM) where each value is written once; other keys give unknown. A write of
    unknown outcome counts if somebody read it.
    """
    told = accesses(history, initial=initial)
    order = Order(told)
    seen = {number: [write] for number, write in order.reads() if write is not None}
    clocks = order.clocks(seen)
    found: dict[str, list[Any]] = {"never-written": unwritten(told)}
    if is_cycle(clocks):
        found["cyclic"] = [_cycle(order, clocks, history)]
    else:
        found["stale"] = list(_overwritten(order, clocks, history))  # type: ignore[arg-type]
        if not found["stale"]:
            sessions = dict.fromkeys(order.nodes[number].session for number, _ in order.reads())
            cycles = (contradiction(order, session, seen) for session in sessions)
            found["out-of-order"] = [case_of(order, cycle[:8], history) for cycle in cycles if cycle is not None]
    keys = len({step.version[0] for step in told.steps})
    unknown = why_unknown(told, any(not step.writes for step in told.steps), "nobody read anything")
    method = "bad patterns of causal memory (Bouajjani et al. 2017)"
    return verdict_of(found, checked=len(told.steps), method=method, unknown=unknown, keys=keys)


def _overwritten(order: Order, clocks: list[dict[int, int]], history: Sequence[Operation]) -> Iterable[dict[str, Any]]:
    """Reads of a version, or of none, though a causally newer one came before them."""
    for read, write in order.reads():
        key = order.nodes[read].step.version[0]
        for other in order.last_writes(key, clocks[read], but=-1 if write is None else write):
            if write is None or order.is_before(write, clocks[other]):
                yield case_of(order, [*([] if write is None else [write]), other, read], history)
                break


def _cycle(order: Order, nodes: Any, history: Sequence[Operation]) -> dict[str, Any]:
    return case_of(order, nodes[:8], history, "each of these comes before the others: ")
