"""How long it took until the system answered again, fault by fault."""

from bisect import bisect_left

import msgspec

from actors.message import NodeId
from experiments.recording import Recording


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took from a fault's injection to the first ok of an operation that began after it."""

    number: int
    fault: str
    nodes: tuple[NodeId, ...]
    injected_ns: int
    recovery_ns: int
    open: bool  # no such ok before the end of the run, which counts in its place


def recoveries(recording: Recording) -> list[Recovery]:
    """One row a fault, in order of injection; any key and any region counts."""
    oks = [operation for operation in recording.history if operation.outcome == "ok"]
    oks.sort(key=lambda operation: operation.invoke_ns)
    invokes = [operation.invoke_ns for operation in oks]
    earliest: list[int | None] = [None] * (len(oks) + 1)  # the earliest return among oks from this one on
    for place in range(len(oks) - 1, -1, -1):
        returned, later = oks[place].return_ns, earliest[place + 1]
        earliest[place] = returned if later is None or returned is None else min(returned, later)
    rows = []
    for fault in recording.faults:
        first = earliest[bisect_left(invokes, fault.injected_ns)]
        end_ns = max(recording.end_ns, fault.injected_ns) if first is None else first
        rows.append(
            Recovery(
                number=fault.number,
                fault=fault.fault,
                nodes=fault.nodes,
                injected_ns=fault.injected_ns,
                recovery_ns=end_ns - fault.injected_ns,
                open=first is None,
            )
        )
    return rows
