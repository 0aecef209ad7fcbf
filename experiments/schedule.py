"""A schedule on its way: from the file's steps to the plan's, and from the plan's to the controller's."""

from collections.abc import Iterable
from typing import Any

import msgspec

from chaos.fault import Fault
from chaos.faults import FAULTS
from chaos.schedule import Steady, Step
from chaos.user_fault import UserFault
from experiments.plan import Plan, SteadyPlan, StepPlan
from experiments.spec.models import ExperimentFile
from experiments.spec.parts import chosen, schedule_of, step_fault
from experiments.spec.schedule import jitter_of, servers_of

SAME = (
    "at_ns", "every_ns", "for_ns", "label", "key", "jitter_ns", "count", "between_ns", "heal_ns", "when", "timeout_ns",
    "after", "until_ns", "until", "probability", "repeat", "max_affected", "wait_ns",
)  # fmt: skip
"""What a planned step says in the same words as the controller's."""


def planned(file: ExperimentFile, servers: int) -> dict[str, Any]:
    """The plan's fields that hold the chaos of a file."""
    schedule = schedule_of(file)
    return {
        "chaos": tuple(
            plan_of(step, key=".".join(map(str, path[1:])), servers=servers) for path, step in schedule.steps
        ),
        "steady_state": schedule.steady
        and SteadyPlan(condition=schedule.steady.condition, timeout_ns=schedule.steady.timeout),
        "stop_when": tuple(schedule.stop_when),
        "left_out": tuple(schedule.left_out),
    }


def plan_of(step: Any, *, key: str, servers: int) -> StepPlan:
    """One step of a file. Its key is its place there, so that leaving another out moves none of its draws."""
    fault: str | None = None
    settings: dict[str, Any] = {}
    if step.fault is not None:
        fault, settings = step.fault, step.with_ or {}
    elif names := chosen(step, FAULTS):
        fault, settings = names[0], msgspec.to_builtins(step_fault(step))
    return StepPlan(
        fault=fault,
        settings=settings,
        at_ns=step.at,
        every_ns=step.every,
        for_ns=step.for_,
        label=step.name or "",
        key=step.name or key,
        jitter_ns=jitter_of(step) or 0,
        count=step.count,
        between_ns=step.random and step.random.between,
        heal_ns=step.random and step.random.heal,
        when=step.when,
        timeout_ns=step.timeout,
        after=step.after,
        until_ns=step.until if isinstance(step.until, int) else None,
        until=step.until if isinstance(step.until, str) else None,
        probability=1.0 if step.probability is None else step.probability,
        repeat=step.repeat,
        max_affected=servers_of(step.max_affected, servers),
        sequence=_children(step.sequence, key, servers),
        together=_children(step.together, key, servers),
        wait_ns=step.wait,
    )


def _children(steps: Iterable[Any] | None, key: str, servers: int) -> tuple[StepPlan, ...]:
    return tuple(plan_of(step, key=f"{key}.{place}", servers=servers) for place, step in enumerate(steps or ()))


def steps_of(planned: Iterable[StepPlan]) -> tuple[Step, ...]:
    """The controller's steps.

    Raises: KeyError for an unknown fault, msgspec.ValidationError for settings that it doesn't have.
    """
    return tuple(map(step_of, planned))


def step_of(planned: StepPlan) -> Step:
    """One step, with its fault made from its settings."""
    same = {name: getattr(planned, name) for name in SAME}
    fault = None if planned.fault is None else fault_of(planned.fault, planned.settings)
    sequence, together = steps_of(planned.sequence), steps_of(planned.together)
    return Step(kind_of(planned), fault, sequence=sequence, together=together, **same)


def kind_of(planned: StepPlan) -> str:
    """What a step is, in a word: its fault's name, or what kind of block it is."""
    if planned.fault:
        return planned.fault.rpartition(":")[2]
    return "sequence" if planned.sequence else "together" if planned.together else "wait"


def fault_of(name: str, settings: dict[str, Any]) -> Fault:
    """A fault by its name in FAULTS, or by its place in a file of the user's."""
    if ":" in name:
        return UserFault(place=name, settings=settings)
    return msgspec.convert(settings, FAULTS[name])


def steady_of(plan: Plan) -> Steady | None:
    """The steady state that the plan's chaos waits for."""
    return None if plan.steady_state is None else Steady(plan.steady_state.condition, plan.steady_state.timeout_ns)
