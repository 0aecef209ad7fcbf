"""A recording: all that is known of a run once it is over, in the form that judges read."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from actors.history import Abandoned, Invoke, Operation, Return, operations
from actors.message import Event, NodeId
from cluster.journal import (
    Entry,
    FaultHealed,
    FaultInjected,
    FaultSkipped,
    FaultTouched,
    HostClock,
    MessageSent,
    Traffic,
)
from cluster.topology import Topology


class FaultRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One injection of a fault. Times are ns since the start of the run."""

    number: int
    fault: str
    planned_ns: int
    injected_ns: int
    healed_ns: int | None  # None: not before the recording ends
    nodes: tuple[NodeId, ...]
    detail: str
    step: str = ""  # what the schedule calls the step, if anything
    messages: int = 0  # that it dropped, held up, doubled or spoiled


class Observed(msgspec.Struct, frozen=True):
    """An event that a node emitted, or the fabric recorded of it."""

    time_ns: int
    node: NodeId
    event: Event


class Unsent(msgspec.Struct, frozen=True):
    """An operation of an open loop that was given up before it was sent."""

    node: NodeId  # the client node
    intended_ns: int


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One run, over or cut off."""

    topology: Topology
    duration_ns: int  # planned
    warm_up_ns: int
    end_ns: int  # the last entry's time, or the planned end
    history: list[Operation]  # in order of invocation
    abandoned: list[Unsent] = []  # operations that no client process was free for
    events: list[Observed]  # all but invokes, returns and faults, in order of time
    messages: list[Observed] = []  # `MessageSent`, at the level of recording that keeps them
    faults: list[FaultRecord]  # in order of injection
    skipped: list[FaultSkipped]
    traffic: Traffic  # summed over hosts
    models: dict[str, str] = {}  # workload -> what a linearizability checker holds its operations against
    clock_bound_ns: int = 0  # how far two hosts' clocks may be apart


def record(topology: Topology, duration_ns: int, warm_up_ns: int, entries: Iterable[Entry]) -> Recording:
    """Sort journal entries (of all hosts, in order of time) into a recording."""
    told: list[tuple[int, NodeId, Invoke | Return]] = []
    events: list[Observed] = []
    messages: list[Observed] = []
    abandoned: list[Unsent] = []
    injected: dict[int, tuple[int, FaultInjected]] = {}
    healed: dict[int, int] = {}
    touched: Counter[int] = Counter()
    skipped: list[FaultSkipped] = []
    traffic: list[Traffic] = []
    bound_ns, end_ns = 0, duration_ns
    for time_ns, node, item in entries:
        end_ns = max(end_ns, time_ns)
        match item:
            case Invoke() | Return():
                told.append((time_ns, node, item))
            case Abandoned():
                abandoned.append(Unsent(node, item.intended_ns))
            case FaultInjected():
                injected[item.number] = (time_ns, item)
            case FaultHealed():
                healed[item.number] = time_ns
            case FaultTouched():
                touched[item.number] += item.messages
            case FaultSkipped():
                skipped.append(item)
            case MessageSent():
                messages.append(Observed(time_ns, node, item))
            case Traffic():
                traffic.append(item)
            case HostClock():
                bound_ns = max(bound_ns, item.bound_ns)
            case _:
                events.append(Observed(time_ns, node, item))
    return Recording(
        topology=topology,
        duration_ns=duration_ns,
        warm_up_ns=warm_up_ns,
        end_ns=end_ns,
        history=operations(told),
        abandoned=abandoned,
        events=events,
        messages=messages,
        faults=[
            _fault(at_ns, item, healed_ns=healed.get(item.number), messages=touched[item.number])
            for at_ns, item in injected.values()
        ],
        skipped=skipped,
        traffic=_sum(traffic),
        clock_bound_ns=bound_ns,
    )


def _fault(injected_ns: int, item: FaultInjected, *, healed_ns: int | None, messages: int) -> FaultRecord:
    return FaultRecord(
        number=item.number,
        fault=item.fault,
        planned_ns=item.planned_ns,
        injected_ns=injected_ns,
        healed_ns=healed_ns,
        nodes=item.nodes,
        detail=item.detail,
        step=item.step,
        messages=messages,
    )


def _sum(traffic: list[Traffic]) -> Traffic:
    return Traffic(
        sent=sum(host.sent for host in traffic),
        dropped=sum(host.dropped for host in traffic),
        delivered=sum(host.delivered for host in traffic),
        bytes=sum(host.bytes for host in traffic),
        malformed=sum(host.malformed for host in traffic),
        lag_p99_ns=max((host.lag_p99_ns for host in traffic), default=0),
    )
