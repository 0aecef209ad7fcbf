"""A running count of what a run has seen, for whoever watches it."""

from actors.election import RoleChanged
from actors.history import Invoke, Return
from actors.message import Event, NodeId
from cluster.buckets import Buckets
from cluster.fabric import Progress
from cluster.journal import FaultHealed, FaultInjected, NodeStopped
from cluster.topology import Topology

COUNTED: frozenset[type[Event]] = frozenset({Invoke, Return, RoleChanged, NodeStopped, FaultInjected, FaultHealed})
"""The events that a tally needs to see."""


class Tally:
    """Counts answers and their latencies, and remembers the last leader and the faults at work."""

    def __init__(self, topology: Topology, duration_ns: int) -> None:
        self._topology = topology
        self._duration_ns = duration_ns
        self._answered = 0
        self._failed = 0
        self._intended_ns: dict[int, int] = {}  # of each process's open operation
        self._latencies = Buckets()
        self._leader: NodeId | None = None
        self._faults: dict[int, str] = {}

    def observe(self, time_ns: int, node: NodeId, event: Event) -> None:
        """Take notice of what a node emitted at a time since the start."""
        match event:
            case Invoke():
                self._intended_ns[event.process] = event.intended_ns
            case Return():
                intended_ns = self._intended_ns.pop(event.process, time_ns)
                self._answered += event.outcome == "ok"
                self._failed += event.outcome != "ok"
                if event.outcome == "ok":
                    self._latencies.add(time_ns - intended_ns)
            case RoleChanged():
                if event.role == "leader":
                    self._leader = node
                elif self._leader == node:
                    self._leader = None
            case NodeStopped():
                if self._leader == node:
                    self._leader = None
            case FaultInjected():
                self._faults[event.number] = f"{event.fault} {event.detail}"
            case FaultHealed():
                self._faults.pop(event.number, None)

    def progress(self, now_ns: int) -> Progress:
        leader = None if self._leader is None else self._topology.name(self._leader)
        faults = tuple(self._faults.values())
        return Progress(
            min(now_ns, self._duration_ns),
            self._duration_ns,
            self._answered,
            self._failed,
            leader,
            faults,
            self._latencies.percentile_ns(500),
            self._latencies.percentile_ns(990),
        )
