"""The history of a run: what clients asked, when, and what they were told.

Clients emit an `Invoke` when a request really leaves and a `Return` when its outcome is known; checkers read the
two joined to an `Operation`. The vocabulary is Jepsen's: `ok` happened, `fail` certainly did not, `info` may have.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from actors.message import Event, NodeId, Value

Outcome = Literal["ok", "fail", "info"]


class Invoke(Event, frozen=True):
    """A client process starts an operation. The event's own time is the moment of the real send."""

    process: int
    workload: str
    function: str
    key: str
    value: Value
    intended_ns: int  # when an open loop meant to send it; latency counts from here, checkers never look


class Return(Event, frozen=True):
    """A client process learns the outcome of the operation that it has open."""

    process: int
    outcome: Outcome
    value: Value = None  # what a read found; for the others what the system answered
    error: str | None = None  # the name of a row of `actors.errors.ERRORS`


class Abandoned(Event, frozen=True):
    """An arrival of an open loop that no client process was free for within the workload's time-out.

    Nothing was sent, so it is no operation of the history; it counts as not answered.
    """

    workload: str
    intended_ns: int


class Retried(Event, frozen=True):
    """A client process asks again for the operation that it has open."""

    process: int
    attempt: int  # 2 for the first time


class Operation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One operation from its invoke to its return. Times are nanoseconds since the start of the run.

    `return_ns` is None while `outcome` is "info": the operation may take effect at any later time.
    """

    process: int  # one operation at a time; a process whose operation ended with info never comes back
    node: NodeId  # the client node that ran it (its region is the topology's)
    workload: str
    function: str
    key: str
    value: Value
    intended_ns: int
    invoke_ns: int
    return_ns: int | None
    outcome: Outcome
    result: Value = None
    error: str | None = None
    ended_ns: int | None = None  # when the client gave up or learned the outcome, info included; None: never


def operations(entries: Iterable[tuple[int, NodeId, Invoke | Return]]) -> list[Operation]:
    """Join invokes and returns (in order of time) to operations, in order of invocation.

    Args:
        entries: (time in ns, client node, Invoke or Return), as recorded.

    Raises: ValueError if a process invokes while it has an operation open, or returns without one.
    """
    opened: dict[int, tuple[int, int, NodeId, Invoke]] = {}
    done: list[tuple[int, Operation]] = []
    for position, (time_ns, node, item) in enumerate(entries):
        if isinstance(item, Invoke):
            if item.process in opened:
                raise ValueError(f"process {item.process} invokes at {time_ns} ns with an operation open")
            opened[item.process] = (position, time_ns, node, item)
            continue
        if item.process not in opened:
            raise ValueError(f"process {item.process} returns at {time_ns} ns without an invoke")
        at, invoke_ns, node, invoke = opened.pop(item.process)
        done.append((at, _join(invoke_ns, node, invoke, item, time_ns)))
    for at, invoke_ns, node, invoke in opened.values():
        done.append((at, _join(invoke_ns, node, invoke, Return(invoke.process, "info", error="no-answer"), None)))
    done.sort(key=lambda pair: pair[0])
    return [operation for _, operation in done]


def _join(invoke_ns: int, node: NodeId, invoke: Invoke, end: Return, ended_ns: int | None) -> Operation:
    return Operation(
        process=invoke.process,
        node=node,
        workload=invoke.workload,
        function=invoke.function,
        key=invoke.key,
        value=invoke.value,
        intended_ns=invoke.intended_ns,
        invoke_ns=invoke_ns,
        return_ns=None if end.outcome == "info" else ended_ns,
        outcome=end.outcome,
        result=end.value,
        error=end.error,
        ended_ns=ended_ns,
    )
