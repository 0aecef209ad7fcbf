"""The chaos controller: injects each fault of a schedule in its time, heals it, and records both.

It sees levers and observed events only, so the same controller runs on both fabrics.
"""

import heapq
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from actors.election import RoleChanged
from actors.message import Event, NodeId
from chaos.fault import Fault
from chaos.targets import NobodyToHit, resolve
from cluster.control import Control, Heal
from cluster.journal import FaultHealed, FaultInjected, FaultSkipped, NodeStopped
from cluster.streams import stream


class Step(NamedTuple):
    """One line of a schedule. Exactly one of `at_ns` and `every_ns` is set."""

    name: str
    fault: Fault
    at_ns: int | None
    every_ns: int | None
    for_ns: int | None  # None: until the end of the run

    def times_ns(self, duration_ns: int) -> list[int]:
        """When this step's fault is injected."""
        if self.every_ns is None:
            return [self.at_ns or 0]
        return list(range(self.every_ns, duration_ns, self.every_ns))


class Controller:
    """Carries out a schedule; a `cluster.fabric.Director`."""

    watches: ClassVar[tuple[type[Event], ...]] = (RoleChanged, NodeStopped)  # all that `observe` looks at

    def __init__(self, steps: tuple[Step, ...], *, seed: int, duration_ns: int) -> None:
        self._steps = steps
        self._seed = seed
        self._duration_ns = duration_ns
        self._agenda: list[tuple[int, bool, int, int, int]] = []  # (time, inject?, order, step, injection to heal)
        self._order = 0
        self._injections = 0
        self._at_work: dict[int, Heal] = {}
        self._leaders: list[NodeId] = []  # who believes to lead, the one elected last at the end
        for number, step in enumerate(steps):
            for time_ns in step.times_ns(duration_ns):
                self._plan(time_ns, number, -1)

    def begin(self, control: Control, record: Callable[[Event], None]) -> None:
        """Take the levers; see `cluster.fabric.Director`."""
        self._control = control
        self._record = record

    def due_ns(self) -> int | None:
        """When the next injection or heal is due."""
        return self._agenda[0][0] if self._agenda else None

    def advance(self, now_ns: int) -> None:
        """Do all that is due."""
        while self._agenda and self._agenda[0][0] <= now_ns:
            planned_ns, is_injection, _, number, injection = heapq.heappop(self._agenda)
            if is_injection:
                self._inject(number, planned_ns)
            else:
                self._heal(injection)

    def observe(self, node: NodeId, event: Event) -> None:
        """Follow who leads: the last one elected of those that still believe it."""
        if isinstance(event, RoleChanged | NodeStopped):
            if node in self._leaders:
                self._leaders.remove(node)
            if isinstance(event, RoleChanged) and event.role == "leader":
                self._leaders.append(node)

    def finish(self, now_ns: int) -> None:
        """Heal everything that is still at work, the last injected first, and inject nothing more."""
        self._agenda.clear()
        for injection in sorted(self._at_work, reverse=True):
            self._heal(injection)

    def _plan(self, time_ns: int, step: int, injection: int) -> None:
        """At one moment, what ends comes before what begins: back-to-back faults never overlap."""
        heapq.heappush(self._agenda, (time_ns, injection < 0, self._order, step, injection))
        self._order += 1

    def _inject(self, number: int, planned_ns: int) -> None:
        step = self._steps[number]
        # Named by step and time: taking another fault away shifts no draw of this one.
        rng = stream(self._seed, "chaos", number, planned_ns)
        leader = self._leaders[-1] if self._leaders else None

        def nodes_of(words: tuple[str, ...]) -> tuple[NodeId, ...]:
            return resolve(words, self._control.topology, leader, rng)

        try:
            injected = step.fault.inject(self._control, nodes_of, rng)
        except NobodyToHit as nobody:
            self._record(FaultSkipped(step.name, planned_ns, str(nobody)))
            return
        injection = self._injections
        self._injections += 1
        self._at_work[injection] = injected.heal
        self._record(FaultInjected(injection, step.name, planned_ns, injected.nodes, injected.detail))
        if step.for_ns is not None:
            self._plan(planned_ns + step.for_ns, number, injection)

    def _heal(self, injection: int) -> None:
        heal = self._at_work.pop(injection, None)
        if heal is not None:
            heal()
            self._record(FaultHealed(injection))
