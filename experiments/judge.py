"""Judge a run: its checkers, its metrics, its expectations, and whether all that was asked for holds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from experiments import expect
from experiments.checkers import CHECKERS
from experiments.checkers.verdict import Verdict
from experiments.metrics import measure, trusted
from experiments.plan import Plan
from experiments.recording import Recording
from experiments.store.summary import Expected, GroupExpected, Summary


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's judges say of it."""

    verdicts: dict[str, Verdict]
    metrics: dict[str, float]  # those that the run has
    expect: tuple[Expected, ...]
    ok: bool


def judge_run(plan: Plan, recording: Recording, *, too_small: bool = False) -> Judged:
    """Judge a recording by its plan. On a machine that was too small, expectations of performance are unknown.

    A checker that an expectation names runs even if `check` doesn't list it, and is judged by that expectation alone;
    every other one must find the run valid.
    """
    named = named_checkers(plan)
    names = dict.fromkeys((*plan.check, *named))
    verdicts = {name: CHECKERS[name](recording) for name in names}
    measured = measure(recording)
    known = trusted(measured, too_small=too_small)
    expected = tuple(_expected(line, known, verdicts) for line in plan.expect)
    unnamed = [verdict for name, verdict in verdicts.items() if name not in named]
    return Judged(
        verdicts=verdicts,
        metrics={name: value for name, value in measured.items() if value is not None and math.isfinite(value)},
        expect=expected,
        ok=all(line.holds is True for line in expected) and all(verdict.valid is True for verdict in unnamed),
    )


def named_checkers(plan: Plan) -> tuple[str, ...]:
    """The checkers that the plan's expectations name, in their order."""
    lines = map(expect.parse, (*plan.expect, *plan.group_expect))
    about = (line for line in lines if not line.variants or plan.variant in line.variants)
    return tuple(dict.fromkeys(line.checker for line in about if line.checker is not None))


def _expected(text: str, metrics: Mapping[str, float | None], verdicts: dict[str, Verdict]) -> Expected:
    holds, value = expect.judge(expect.parse(text), metrics, verdicts)
    return Expected(text=text, holds=holds, value=value)


def judge_group(runs: Sequence[tuple[Plan, Summary]]) -> tuple[GroupExpected, ...]:
    """Judge what takes several runs: lines that compare variants, or that must hold in a share of the runs.

    Runs are paired by seed, fabric and what they set apart from the file's base besides their variant. A line about a
    variant that was not asked for, as with `--variant` or a plan run again by itself, is left out.
    """
    there = {plan.variant for plan, _ in runs}
    lines = [
        text for text in dict.fromkeys(text for plan, _ in runs for text in plan.group_expect) if _of(text) <= there
    ]
    group = [
        expect.GroupRun(
            plan.variant, _pairing(plan), trusted(summary.metrics, too_small=summary.too_small), summary.verdicts
        )
        for plan, summary in runs
    ]
    judged = []
    for text in lines:
        holds, value, variants = expect.judge_group(expect.parse(text), group)
        judged.append(GroupExpected(text=text, holds=holds, value=value, variants=variants))
    return tuple(judged)


def _of(text: str) -> set[str | None]:
    """The variants without which a line can't be judged."""
    line = expect.parse(text)
    return {*line.variants, *(reference.variant for reference in line.references if reference.variant)}


def _pairing(plan: Plan) -> tuple[Any, ...]:
    return plan.seed, plan.fabric, tuple(sorted((path, str(value)) for path, value in plan.matrix.items()))
