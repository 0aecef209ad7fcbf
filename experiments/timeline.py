"""A schedule as a timeline: when each fault begins and ends, before anything is run."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from chaos.faults import FAULTS
from chaos.schedule import Occurrence, keyed, occurrences
from experiments import schedule
from experiments.plan import Plan, StepPlan
from experiments.spec.written import duration_text, value_text

WIDTH = 48
AT_RUN_TIME = ("leader", "follower", "random", "halves")  # words whose nodes are known only when they are hit


class Bar(NamedTuple):
    """One injection, as planned."""

    step: int
    what: str
    start_ns: int
    end_ns: int
    resolved_later: bool


def bars(plan: Plan, most: int = 200) -> list[Bar]:
    """The injections of a plan in order of time, at most so many; of steps whose time only the run will tell, none."""
    found = []
    steps = keyed(schedule.steps_of(plan.chaos))
    for number, (planned, step) in enumerate(zip(plan.chaos, steps, strict=True)):
        times = occurrences(step, seed=plan.seed, duration_ns=plan.duration_ns)
        for occurrence in islice((one for one in times if one.at_ns < plan.duration_ns), most):
            end_ns = _end_ns(planned, occurrence, plan.duration_ns)
            found.append(Bar(number, describe(planned), occurrence.at_ns, end_ns, _later(planned)))
    return sorted(found, key=lambda bar: (bar.start_ns, bar.step))[:most]


def waiting(plan: Plan) -> Iterator[str]:
    """The steps whose time only the run will tell, in words."""
    if plan.steady_state is not None:
        yield f"nothing before: {plan.steady_state.condition}"
    for step in plan.chaos:
        if step.when is not None:
            yield f"when {step.when}: {describe(step)}"
        elif step.after is not None:
            yield f"after {step.after}: {describe(step)}"
    if plan.left_out:
        yield f"left out, since {plan.system.name} does not claim to survive it: {', '.join(plan.left_out)}"
    for text in plan.stop_when:
        yield f"the run ends when {text}"


def _end_ns(step: StepPlan, begun: Occurrence, duration_ns: int) -> int:
    if step.until_ns is not None:
        return max(begun.at_ns, min(duration_ns, step.until_ns))
    length_ns = begun.for_ns if step.fault else length_of(step)
    return duration_ns if length_ns is None else min(duration_ns, begun.at_ns + length_ns)


def length_of(step: StepPlan) -> int:
    """How long a step keeps what follows it waiting; a fault without an end keeps nothing."""
    if step.fault:
        once = step.for_ns or 0
    elif step.wait_ns is not None:
        once = step.wait_ns
    else:
        once = sum(map(length_of, step.sequence)) + max(map(length_of, step.together), default=0)
    return once * step.repeat


def describe(step: StepPlan) -> str:
    """A step in the words of the file, without its times."""
    if step.fault is None:
        inside = ", ".join(map(describe, step.sequence or step.together))
        return f"{schedule.kind_of(step)} [{inside}]" if inside else f"wait {duration_text(step.wait_ns or 0)}"
    if step.fault not in FAULTS:
        return f"{step.fault} {step.settings or ''}".strip()
    kind = FAULTS[step.fault]
    settings = msgspec.convert(step.settings, kind)
    said = []
    for field in msgspec.structs.fields(kind):
        value = getattr(settings, field.name)
        if field.required or value != field.default:
            key = field.name.removesuffix("_ns")
            said.append(f"{key}: {_words(value) if isinstance(value, tuple) else value_text(value, field.type)}")
    return f"{step.fault} {{{', '.join(said)}}}"


def lines(plan: Plan) -> Iterator[str]:
    """The timeline as text, one line an injection, to scale."""
    scale = plan.duration_ns / WIDTH
    yield f"{'':>10}  |0s{duration_text(plan.duration_ns):>{WIDTH - 2}}|"
    for bar in bars(plan):
        start = min(WIDTH - 1, int(bar.start_ns / scale))
        length = max(1, round((bar.end_ns - bar.start_ns) / scale))
        drawn = (" " * start + "=" * length)[:WIDTH]
        later = "  (who: when it is injected)" if bar.resolved_later else ""
        yield f"{duration_text(bar.start_ns):>10}  |{drawn:<{WIDTH}}|  {bar.what}{later}"
    for text in waiting(plan):
        yield f"{'?':>10}  {text}"


def _later(step: StepPlan) -> bool:
    """Whether whom it hits is known only at run time."""
    return any(
        word in str((step.settings, step.sequence, step.together)).replace("'", " ").replace(",", " ").split()
        for word in AT_RUN_TIME
    )


def _words(value: Any) -> str:
    """A target as the file would have it."""
    if isinstance(value, tuple):
        inner = ", ".join(map(_words, value))
        return inner if len(value) == 1 else f"[{inner}]"
    return str(value)
