"""The chaos controller: carries out a schedule, heals whatever it injected, and records both.

It sees levers and observed events only, so the same controller runs on both fabrics. Each step is a task of the
agenda; what a task does stands in one generator a kind of step.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from actors.election import RoleChanged
from actors.message import Event, NodeId
from chaos.agenda import Agenda, At, Done, Ended, Run, Seen
from chaos.conditions import parse
from chaos.fault import Fault, NotInjected
from chaos.schedule import NEVER_NS, Steady, Step, keyed, occurrences
from chaos.sight import Sight
from chaos.targets import Aim, resolve
from cluster.control import Control, Heal
from cluster.journal import FaultHealed, FaultInjected, FaultSkipped, NodeStarted, NodeStopped, RunStopped
from cluster.streams import stream

__all__ = ["Controller", "Step"]


class Controller:
    """Carries out a schedule; a `cluster.fabric.Director`."""

    def __init__(
        self,
        steps: tuple[Step, ...],
        *,
        seed: int,
        duration_ns: int,
        steady: Steady | None = None,
        stop_when: tuple[str, ...] = (),
    ) -> None:
        self.over = False  # a stop condition was seen: the run is to end now
        self._steps = keyed(steps)
        self._seed = seed
        self._duration_ns = duration_ns
        self._steady = steady
        self._stop_when = stop_when
        self._agenda = Agenda()
        self._injections = 0
        self._at_work: dict[int, Heal] = {}

    @property
    def watches(self) -> tuple[type[Event], ...] | None:
        """The events that `observe` must see; None for all, since a condition or a target may look at any."""
        looks = self._steady or self._stop_when or any(map(_looks, self._steps))
        return None if looks else (RoleChanged, NodeStarted, NodeStopped)

    # what a fabric calls: see `cluster.fabric.Director`

    def begin(self, control: Control, record: Callable[[Event], None]) -> None:
        """Take the levers, and set all steps going."""
        self._control = control
        self._record = record
        self._sight = Sight(control.topology)
        for text in self._stop_when:
            self._agenda.begin(self._stop(text))
        if self._steady is None:
            self._begin_steps()
        else:
            self._agenda.begin(self._wait_until_steady(self._steady))

    def due_ns(self) -> int | None:
        """When the next injection or heal is due."""
        return self._agenda.due_ns()

    def advance(self, now_ns: int) -> None:
        """Do all that is due."""
        self._agenda.advance(now_ns)

    def observe(self, node: NodeId, event: Event, time_ns: int = 0) -> None:
        """Take in what a node told; what waited for it is due now."""
        self._sight.observe(node, event, time_ns)
        self._agenda.look(self._sight)

    def finish(self, now_ns: int) -> None:
        """Heal everything that is still at work, the last injected first, and inject nothing more."""
        self._agenda.clear()
        for injection in sorted(self._at_work, reverse=True):
            self._heal(injection)

    # when: one task a step

    def _begin_steps(self) -> None:
        for step in self._steps:
            if step.when is not None:
                self._agenda.begin(self._when(step, step.when))
            elif step.after is not None:
                self._agenda.begin(self._after(step, step.after))
            else:
                for time in occurrences(step, seed=self._seed, duration_ns=self._duration_ns):
                    self._agenda.begin(self._carry_out(step, str(time.number), time.at_ns, time.for_ns), time.at_ns)

    def _when(self, step: Step, text: str) -> Run:
        """Begin when a condition is seen to become true; `count` times, once if the file doesn't say."""
        deadline_ns = NEVER_NS if step.timeout_ns is None else step.timeout_ns
        watch, now_ns = parse(text), self._sight.now_ns
        for number in range(step.count or 1):
            test = watch(self._sight, not number)
            seen_ns = self._sight.now_ns if test(self._sight) else (yield Seen(test, deadline_ns))
            if seen_ns is None:
                self._record(FaultSkipped(step.name, deadline_ns, f"not seen in time: {text}"))
                return deadline_ns
            now_ns = yield from self._carry_out(step, str(number), seen_ns, step.for_ns)
        return now_ns

    def _after(self, step: Step, name: str) -> Run:
        """Begin whenever another step has ended."""
        for number in count():
            now_ns = yield Ended(name)
            assert now_ns is not None
            self._agenda.begin(self._carry_out(step, str(number), now_ns, step.for_ns), now_ns)
        raise AssertionError("there is no last time")

    def _wait_until_steady(self, steady: Steady) -> Run:
        test = parse(steady.condition)(self._sight, True)
        if not test(self._sight) and (yield Seen(test, steady.timeout_ns)) is None:
            self._record(FaultSkipped("chaos", steady.timeout_ns, f"no steady state in time: {steady.condition}"))
        else:
            self._begin_steps()
        return 0

    def _stop(self, text: str) -> Run:
        test = parse(text)(self._sight, True)
        seen_ns = 0 if test(self._sight) else (yield Seen(test, NEVER_NS))
        self._record(RunStopped(text, seen_ns or 0))
        self.over = True
        return seen_ns or 0

    # what: a fault, a block or a wait

    def _carry_out(self, step: Step, draw: str, now_ns: int, for_ns: int | None) -> Run:
        """All repeats of a step, one after another; then whoever waits for its end is told. Returns the end.

        `draw` tells the step's occurrences apart: 2.0.1 is the second repeat in the first of the block's third.
        """
        for repeat in range(step.repeat):
            here = f"{draw}.{repeat}" if step.repeat > 1 else draw
            if not self._happens(step, here):
                self._record(FaultSkipped(step.name, now_ns, "it was drawn not to happen"))
            elif step.fault is not None:
                now_ns = yield from self._inject_and_heal(step, step.fault, here, now_ns, for_ns)
            else:
                now_ns = yield from self._block(step, here, now_ns)
        if step.label:
            self._agenda.ended(step.label, now_ns)
        return now_ns

    def _happens(self, step: Step, draw: str) -> bool:
        if step.probability >= 1:
            return True
        return stream(self._seed, "chaos", step.key, "happens", draw).random() < step.probability

    def _block(self, step: Step, draw: str, now_ns: int) -> Run:
        """Steps one after another, or at once; or a wait."""
        if step.wait_ns is not None:
            now_ns += step.wait_ns
            yield At(now_ns)
        for child in step.sequence:
            now_ns = yield from self._carry_out(child, draw, now_ns, child.for_ns)
        if step.together:
            runs = [self._carry_out(child, draw, now_ns, child.for_ns) for child in step.together]
            now_ns = (yield Done(tuple(self._agenda.begin(run, now_ns) for run in runs))) or now_ns
        return now_ns

    def _inject_and_heal(self, step: Step, fault: Fault, draw: str, now_ns: int, for_ns: int | None) -> Run:
        """A fault from its injection to its heal. One without an end lasts as long as the run; nobody waits for it."""
        injection = self._inject(step, fault, draw, now_ns)
        if injection is None:
            return now_ns
        if step.until is not None:
            limit_ns = NEVER_NS if for_ns is None else now_ns + for_ns
            seen_ns = yield Seen(parse(step.until)(self._sight, False), limit_ns)
            end_ns = limit_ns if seen_ns is None else seen_ns
        elif for_ns is not None or step.until_ns is not None:
            end_ns = now_ns + for_ns if for_ns is not None else max(now_ns, step.until_ns or 0)
            yield At(end_ns, heals=True)
        else:
            return now_ns
        self._heal(injection)
        yield At(end_ns)  # what follows comes behind all other heals of this moment
        return end_ns

    def _inject(self, step: Step, fault: Fault, draw: str, planned_ns: int) -> int | None:
        """Start a fault now. Returns the number of the injection; None if it hit nobody."""
        # Named by step and occurrence: taking another fault away shifts no draw of this one.
        rng = stream(self._seed, "chaos", step.key, draw)
        aim = Aim(self._control, self._sight, rng, takes_down=fault.takes_down, max_affected=step.max_affected)
        injection = self._injections
        try:
            with self._control.injecting(injection):
                injected = fault.inject(self._control, partial(resolve, aim=aim), rng)
        except NotInjected as reason:
            self._record(FaultSkipped(step.name, planned_ns, str(reason)))
            return None
        self._injections += 1
        self._at_work[injection] = injected.heal
        told = FaultInjected(injection, step.name, planned_ns, injected.nodes, injected.detail, step.label)
        self._record(told)
        if injected.moves is not None:
            self._agenda.begin(self._move(injection, injected.moves, planned_ns), planned_ns)
        return injection

    def _move(self, injection: int, moves: Iterator[int], now_ns: int) -> Run:
        """A fault with a course of its own goes on, step by step, until it is healed."""
        while injection in self._at_work:
            with self._control.injecting(injection):
                after_ns = next(moves, None)
            if after_ns is None:
                break
            now_ns += after_ns
            yield At(now_ns)
        return now_ns

    def _heal(self, injection: int) -> None:
        heal = self._at_work.pop(injection, None)
        if heal is not None:
            heal()
            self._record(FaultHealed(injection))


def _looks(step: Step) -> bool:
    """Whether a step, or one inside it, waits for a condition or aims at what events tell."""
    inside = any(map(_looks, (*step.sequence, *step.together)))
    return bool(step.when or step.until or "hottest" in repr(step.fault) or inside)
