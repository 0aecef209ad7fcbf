"""What is legal in a file but odd: told as warnings, never as errors."""

from collections.abc import Iterator
from typing import TypeAlias

from experiments import expect
from experiments.spec.checks import Path
from experiments.spec.models import ExperimentFile
from experiments.spec.parts import schedule_of

Oddity: TypeAlias = tuple[Path, str]

ENOUGH_RUNS = 5  # behind a percentile that a claim or an expectation speaks of


def oddities(file: ExperimentFile) -> Iterator[Oddity]:
    """All that is odd about a valid file."""
    for path, step in schedule_of(file).steps:
        start_ns = step.at if step.at is not None else step.every
        if start_ns is not None and start_ns >= file.duration:
            yield path, "the fault comes after the end of the run, and is never injected"
        elif step.at is not None and step.for_ is not None and step.at + step.for_ > file.duration:
            yield (*path, "for"), "the run ends first; the fault is healed then"
        elif step.every is not None and step.for_ is not None and step.for_ >= step.every:
            yield (*path, "for"), "the fault is injected again before it has healed"
    if not file.check and not file.expect:
        yield (), "neither check nor expect: the run is ok whatever happens"
    if len(file.seed) == 1 and file.repeat < ENOUGH_RUNS:
        yield from _few_runs(file)


def _few_runs(file: ExperimentFile) -> Iterator[Oddity]:
    runs = f"{file.repeat} run{'s' if file.repeat > 1 else ''}"
    for number, claim in enumerate(file.claim):
        if "_p9" in claim.metric:
            yield ("claim", number), f"a percentile out of {runs}; {ENOUGH_RUNS} repeats or more tell luck from law"
    for number, text in enumerate(file.expect):
        line = expect.parse(text)
        if line.of_group and any("_p9" in reference.name for reference in line.references):
            yield ("expect", number), f"percentiles are compared over {runs}; take {ENOUGH_RUNS} repeats or more"
