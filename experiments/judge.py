"""Judge a run: its checkers, its metrics, its expectations, and whether all that was asked for holds."""

import math

import msgspec

from experiments import expect
from experiments.checkers import CHECKERS
from experiments.checkers.verdict import Verdict
from experiments.metrics import measure
from experiments.plan import Plan
from experiments.recording import Recording
from experiments.store.summary import Expected


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's judges say of it."""

    verdicts: dict[str, Verdict]
    metrics: dict[str, float]  # those that the run has
    expect: tuple[Expected, ...]
    ok: bool


def judge_run(plan: Plan, recording: Recording) -> Judged:
    """Judge a recording by its plan.

    A checker that an expectation names runs even if `check` doesn't list it, and is judged by that expectation alone;
    every other one must find the run valid.
    """
    named = named_checkers(plan)
    names = dict.fromkeys((*plan.check, *named))
    verdicts = {name: CHECKERS[name](recording) for name in names}
    measured = measure(recording)
    expected = tuple(_expected(line.text, line.rule, measured, verdicts) for line in plan.expect)
    unnamed = [verdict for name, verdict in verdicts.items() if name not in named]
    return Judged(
        verdicts=verdicts,
        metrics={name: value for name, value in measured.items() if value is not None and math.isfinite(value)},
        expect=expected,
        ok=all(line.holds is True for line in expected) and all(verdict.valid is True for verdict in unnamed),
    )


def named_checkers(plan: Plan) -> tuple[str, ...]:
    """The checkers that the plan's expectations name, in their order."""
    parsed = (expect.parse(line.rule) for line in plan.expect)
    return tuple(dict.fromkeys(rule.checker for rule in parsed if rule.checker is not None))


def _expected(text: str, rule: str, metrics: dict[str, float | None], verdicts: dict[str, Verdict]) -> Expected:
    holds, value = expect.judge(expect.parse(rule), metrics, verdicts)
    return Expected(text=text, holds=holds, value=value)
