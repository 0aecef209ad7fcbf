"""PRAM, or pipelined RAM: everybody sees each process's writes in their order.

Sources: Lipton and Sandberg, "PRAM: a scalable shared memory", Princeton TR-180-88, 1988; Wei, De Biasi, Huang, Cao and
Lu, "Verifying PRAM consistency over read/write traces of data replicas", 2013 (the closure that decides it).
"""

from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.causal_order import Order, case_of, is_cycle, unwritten
from experiments.checkers.sessions import why_unknown
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import accesses


def pram(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """Everybody sees the writes of each process in that process's order; of several processes, in any.

    For each process all writes and its own reads are put in one order: as long as a write must come before a read of
    another value, it must come before that value's write. PRAM is violated iff that leads to a cycle.

    Sound and complete where each value is written once; other keys give unknown.
    """
    told = accesses(history, initial=initial)
    order = Order(told)
    found: dict[str, list[Any]] = {"never-written": unwritten(told), "out-of-order": []}
    readers = dict.fromkeys(order.nodes[number].session for number, _ in order.reads())
    for session in readers:
        contradiction = _contradiction(order, session)
        if contradiction is not None:
            found["out-of-order"].append(case_of(order, contradiction, history))
    keys = len({step.version[0] for step in told.steps})
    unknown = why_unknown(told, bool(readers), "nobody read anything")
    method = "closure of each process's view (Wei et al. 2013)"
    return verdict_of(found, checked=len(told.steps), method=method, unknown=unknown, keys=keys)


def _contradiction(order: Order, session: int) -> list[int] | None:
    """The nodes of a cycle in what one process must have seen, None if it may have."""
    mine = [(read, write) for read, write in order.reads() if order.nodes[read].session == session]
    more: dict[int, list[int]] = {read: [write] for read, write in mine if write is not None}
    while True:
        clocks = order.clocks(more)
        if is_cycle(clocks):
            return clocks  # type: ignore[return-value]
        added = False
        for read, write in mine:
            key = order.nodes[read].step.version[0]
            for other in order.last_writes(key, clocks[read], but=-1 if write is None else write):  # type: ignore[arg-type]
                if write is None:
                    return [other, read]
                if not order.is_before(other, clocks[write]):  # type: ignore[arg-type]
                    more.setdefault(write, []).append(other)
                    added = True
        if not added:
            return None
