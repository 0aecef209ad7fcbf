"""Judge expectations: by one run's metrics and verdicts, or by all runs of a group."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from experiments.checkers.verdict import Verdict
from experiments.expect.grammar import Arithmetic, Comparison, Expectation, Expression, Number, Reference, VerdictIs

Holds: TypeAlias = bool | Literal["unknown"]
Metrics: TypeAlias = Mapping[str, float | None]

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


class GroupRun(NamedTuple):
    """One run of a group."""

    variant: str | None
    pairing: tuple[Any, ...]  # what runs that are compared share: seed, place in the matrix, fabric
    metrics: Metrics
    verdicts: Mapping[str, Verdict]


def judge(line: Expectation, metrics: Metrics, verdicts: Mapping[str, Verdict]) -> tuple[Holds, Any]:
    """Judge a line by one run.

    Returns: whether it holds, and the value that it was judged by: the checker's word, or the left side's value (of
        a lone metric in its own unit). Without data, or with a verdict of unknown, it is unknown.
    """
    if isinstance(line.claim, VerdictIs):
        verdict = verdicts[line.claim.checker]
        holds: Holds = "unknown" if verdict.valid == "unknown" else verdict.valid is line.claim.valid
        return holds, {True: "valid", False: "invalid"}.get(verdict.valid, "unknown")  # type: ignore[arg-type]
    return _compare(line.claim, lambda reference: metrics.get(reference.name + reference.labels))


def judge_group(line: Expectation, runs: Sequence[GroupRun]) -> tuple[Holds, Any, tuple[str, ...]]:
    """Judge a line by all runs of a group: by each pair of the variants that it compares, or by a share of runs.

    Returns: whether it holds; the values that it was judged by, one a run or pair; the variants it speaks of.
    """
    compared = tuple(dict.fromkeys(ref.variant for ref in line.references if ref.variant))
    outcomes = _pairs(line, runs, compared) if compared else _each(line, runs)
    values = [value for _, value in outcomes]
    variants = compared or line.variants
    if not outcomes:
        return "unknown", None, variants
    held = sum(holds is True for holds, _ in outcomes)
    open_ = sum(holds == "unknown" for holds, _ in outcomes)
    needed = 1.0 if line.share is None else line.share
    if held >= needed * len(outcomes) - 1e-9:
        return True, values, variants
    return ("unknown" if held + open_ >= needed * len(outcomes) - 1e-9 else False), values, variants


def _each(line: Expectation, runs: Sequence[GroupRun]) -> list[tuple[Holds, Any]]:
    meant = [run for run in runs if not line.variants or run.variant in line.variants]
    return [judge(line, run.metrics, run.verdicts) for run in meant]


def _pairs(line: Expectation, runs: Sequence[GroupRun], compared: Sequence[str]) -> list[tuple[Holds, Any]]:
    """One outcome for each pairing that all compared variants have a run of."""
    assert isinstance(line.claim, Comparison)
    by_pairing: dict[tuple[Any, ...], dict[str | None, GroupRun]] = {}
    for run in runs:
        by_pairing.setdefault(run.pairing, {})[run.variant] = run
    outcomes = []
    for together in by_pairing.values():
        if all(variant in together for variant in compared):
            outcomes.append(_compare(line.claim, lambda ref, all_=together: _of_variant(ref, all_)))  # type: ignore[misc]
    return outcomes


def _of_variant(reference: Reference, together: Mapping[str | None, GroupRun]) -> float | None:
    run = together.get(reference.variant)
    return None if run is None else run.metrics.get(reference.name + reference.labels)


def _compare(claim: Comparison, value_of: Callable[[Reference], float | None]) -> tuple[Holds, float | None]:
    left, right = _value(claim.left, value_of), _value(claim.right, value_of)
    shown = value_of(claim.left) if isinstance(claim.left, Reference) else left
    if left is None or right is None:
        return "unknown", shown
    return _COMPARE[claim.operator](left, right), shown


def _value(expression: Expression, value_of: Callable[[Reference], float | None]) -> float | None:
    """In base units; None where a metric has no data, or something is divided by nothing."""
    match expression:
        case Number():
            return expression.value
        case Reference():
            value = value_of(expression)
            return None if value is None else expression.in_base_units(value)
        case Arithmetic():
            left, right = _value(expression.left, value_of), _value(expression.right, value_of)
            if left is None or right is None or (expression.operator == "/" and right == 0):
                return None
            return _ARITHMETIC[expression.operator](left, right)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
