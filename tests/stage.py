"""A chaos controller on a stage: levers that carry nothing out, records, and time that a test lets pass."""

from typing import Any

from levers import Levers

from actors.election import RoleChanged
from actors.message import Event
from actors.settings import SECOND
from chaos.controller import Controller, Step
from chaos.fault import Fault
from chaos.faults.crash import Crash
from cluster.topology import Topology


class Stage:
    """A controller with its levers and its records, and time that a test lets pass."""

    def __init__(self, *steps: Step, seed: int = 1, duration_s: float = 60, servers: int = 5, **more: Any) -> None:
        self.levers = Levers(Topology(("us",) * servers, servers))
        self.records: list[tuple[int, object]] = []
        self.controller = Controller(steps, seed=seed, duration_ns=int(duration_s * SECOND), **more)
        self.controller.begin(self.levers, lambda event: self.records.append((self.levers.now_ns, event)))

    def see(self, node: int, event: Event, at: float | None = None) -> "Stage":
        """A node emits an event, now or at a time."""
        if at is not None:
            self.until(at)
        self.controller.observe(node, event, self.levers.now_ns)
        return self

    def elect(self, node: int, term: int = 1, at: float | None = None) -> "Stage":
        return self.see(node, RoleChanged("leader", term), at)

    def until(self, seconds: float) -> "Stage":
        """As a fabric does: at each time that is due, in order."""
        while (due_ns := self.controller.due_ns()) is not None and due_ns <= seconds * SECOND:
            self.levers.now_ns = due_ns
            self.controller.advance(due_ns)
        self.levers.now_ns = int(seconds * SECOND)
        return self

    def finish(self) -> "Stage":
        self.controller.finish(self.levers.now_ns)
        return self

    def told(self, kind):
        return [(time_ns / SECOND, event) for time_ns, event in self.records if isinstance(event, kind)]

    def pulled(self):
        return [(time_ns / SECOND, lever, what) for time_ns, lever, what in self.levers.pulled]


def step(
    fault: Fault | None, *, at: float | None = None, every: float | None = None, for_: float | None = None, **more: Any
) -> Step:
    """A step with its times in seconds."""
    times = [None if time is None else int(time * SECOND) for time in (at, every, for_)]
    return Step(type(fault).__name__.lower() if fault else "block", fault, *times, **more)


def crash(*nodes: str) -> Crash:
    return Crash(nodes=nodes)
