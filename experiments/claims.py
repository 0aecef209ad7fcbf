"""Claims: what a text says, held against the median of what was measured."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec

from experiments import expect
from experiments.metrics import trusted
from experiments.plan import ClaimPlan, Plan
from experiments.store.summary import Summary

Word = Literal["holds", "disagrees", "unjudged"]


class JudgedClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim and what the measurement says of it."""

    id: str
    says: str
    metric: str
    figure: str
    measured: float | None  # the median over the runs, in the metric's own unit
    runs: int
    verdict: Word  # computed
    declared: Word
    because: str

    @property
    def as_declared(self) -> bool:
        """Whether the file says of it what the measurement says."""
        return self.verdict == self.declared


def judge_claims(runs: Sequence[tuple[Plan, Summary]]) -> tuple[JudgedClaim, ...]:
    """Judge the claims that the plans of a group share by all runs of the variant that each names."""
    claims = dict.fromkeys(claim for plan, _ in runs for claim in plan.claims)
    return tuple(_judge(claim, runs) for claim in claims)


def _judge(claim: ClaimPlan, runs: Sequence[tuple[Plan, Summary]]) -> JudgedClaim:
    reference, figure = expect.reference(claim.metric), expect.quantity(claim.figure)
    name = reference.name + reference.labels
    meant = [summary for plan, summary in runs if reference.variant in (None, plan.variant)]
    known = [trusted(summary.metrics, too_small=summary.too_small) for summary in meant]
    values = [value for metrics in known if (value := metrics.get(name)) is not None]
    measured = median(values) if values else None
    verdict: Word = "unjudged"
    if measured is not None:
        off = abs(reference.in_base_units(measured) - figure.value)
        verdict = "holds" if off <= claim.within * abs(figure.value) else "disagrees"
    return JudgedClaim(
        id=claim.id,
        says=claim.says,
        metric=claim.metric,
        figure=claim.figure,
        measured=measured,
        runs=len(values),
        verdict=verdict,
        declared=claim.verdict,
        because=claim.because,
    )
