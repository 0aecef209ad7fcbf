"""A schedule as a timeline: when each fault begins and ends, before anything is run."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from chaos.faults import FAULTS
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
    """The injections of a plan in order of time, at most so many."""
    found = []
    for number, step in enumerate(plan.chaos):
        for start_ns in _times(step, plan.duration_ns):
            end_ns = plan.duration_ns if step.for_ns is None else min(plan.duration_ns, start_ns + step.for_ns)
            found.append(Bar(number, describe(step), start_ns, end_ns, _later(step)))
            if len(found) >= most:
                break
    return sorted(found, key=lambda bar: (bar.start_ns, bar.step))


def describe(step: StepPlan) -> str:
    """A step in the words of the file, without its times."""
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


def _times(step: StepPlan, duration_ns: int) -> Iterator[int]:
    if step.every_ns is None:
        yield step.at_ns or 0
    else:
        yield from range(step.every_ns, duration_ns, step.every_ns)


def _later(step: StepPlan) -> bool:
    """Whether whom it hits is known only at run time."""
    return any(word in str(step.settings).replace("'", " ").replace(",", " ").split() for word in AT_RUN_TIME)


def _words(value: Any) -> str:
    """A target as the file would have it."""
    if isinstance(value, tuple):
        inner = ", ".join(map(_words, value))
        return inner if len(value) == 1 else f"[{inner}]"
    return str(value)
