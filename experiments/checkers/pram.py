"""PRAM, or pipelined RAM: everybody sees each process's writes in their order.

Sources: Lipton and Sandberg, "PRAM: a scalable shared memory", Princeton TR-180-88, 1988; Wei, De Biasi, Huang, Cao and
Lu, "Verifying PRAM consistency over read/write traces of data replicas", 2013 (the closure that decides it).
"""

from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.causal_order import Order, case_of, contradiction, unwritten
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
        cycle = contradiction(order, session, {})
        if cycle is not None:
            found["out-of-order"].append(case_of(order, cycle[:8], history))
    keys = len({step.version[0] for step in told.steps})
    unknown = why_unknown(told, bool(readers), "nobody read anything")
    method = "closure of each process's view (Wei et al. 2013)"
    return verdict_of(found, checked=len(told.steps), method=method, unknown=unknown, keys=keys)
