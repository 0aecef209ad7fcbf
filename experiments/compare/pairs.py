"""Two runs held against each other: their parameters, metrics and verdicts.

One run against one has no noise estimate: a ratio is shown, and no word is said on whether it means anything. The
unit of a comparison is the run; several pairs of the same seed are what an interval can be made of.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from experiments.checkers.verdict import Verdict
from experiments.plan import Plan
from experiments.store import StoredRun, StoreError

Word = Literal["identical", "no noise estimate"]
NO_PARAMETERS = ("format", "description", "params")  # of a plan: nothing that changes a run, or said elsewhere


class Difference(msgspec.Struct, frozen=True):
    """A parameter, by its dotted path in the plan, that the two sides don't share; None where a side lacks it."""

    path: str
    a: Any
    b: Any


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on both sides; `low` and `high` bound the ratio."""

    name: str
    a: float | None
    b: float | None
    ratio: float | None  # b to a
    low: float | None
    high: float | None
    word: Word
    pairs: int  # runs of the same seed behind the ratio


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What `compare --json` prints."""

    identical: bool
    differs: tuple[Difference, ...]
    metrics: tuple[MetricRow, ...]
    verdicts: dict[str, dict[str, bool | Literal["unknown"] | None]]  # checker -> {"a": valid, "b": valid}


def compare_runs(a: StoredRun, b: StoredRun) -> Comparison:
    """Compare one run with one.

    Raises: StoreError if a run has no summary: it goes on, or was cut off.
    """
    for run in (a, b):
        if run.summary is None:
            raise StoreError(f"{run.path.name} can't be compared: it is {run.state}, and has no summary")
    assert a.summary is not None
    assert b.summary is not None
    identical = a.summary.digest is not None and a.summary.digest == b.summary.digest
    return Comparison(
        identical=identical,
        differs=differences(a.plan, b.plan),
        metrics=metric_rows(
            a.summary.metrics, b.summary.metrics, word="identical" if identical else "no noise estimate"
        ),
        verdicts=side_by_side(a.summary.verdicts, b.summary.verdicts),
    )


def differences(a: Plan, b: Plan) -> tuple[Difference, ...]:
    """The parameters that two plans don't share."""
    left, right = dict(parameters(a)), dict(parameters(b))
    paths = dict.fromkeys((*left, *right))
    return tuple(
        Difference(path, left.get(path), right.get(path))
        for path in paths
        if (path in left, left.get(path)) != (path in right, right.get(path))
    )


def parameters(plan: Plan) -> Iterable[tuple[str, Any]]:
    """All that a plan says, as (dotted path, plain value)."""
    plain = msgspec.to_builtins(plan)
    for name in plain:
        if name not in NO_PARAMETERS:
            yield from _leaves(name, plain[name])


def _leaves(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    """A value's leaves; a list of plain values is one."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(f"{path}.{number}", inner)
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def metric_rows(a: Mapping[str, float], b: Mapping[str, float], *, word: Word) -> tuple[MetricRow, ...]:
    """Every metric that either side has."""
    return tuple(_row(name, a.get(name), b.get(name), word) for name in dict.fromkeys((*a, *b)))


def _row(name: str, a: float | None, b: float | None, word: Word) -> MetricRow:
    both = a is not None and b is not None
    return MetricRow(
        name=name,
        a=a,
        b=b,
        ratio=b / a if a and b is not None else None,
        low=None,
        high=None,
        word=word,
        pairs=int(both),
    )


def side_by_side(
    a: Mapping[str, Verdict], b: Mapping[str, Verdict]
) -> dict[str, dict[str, bool | Literal["unknown"] | None]]:
    """What each side's checkers say; None where a side didn't run one."""
    names = dict.fromkeys((*a, *b))
    return {
        name: {side: run[name].valid if name in run else None for side, run in (("a", a), ("b", b))} for name in names
    }
