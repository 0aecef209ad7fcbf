"""Claims: the figure of a text against the median that was measured."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from experiments_plans import plans_of
from hypothesis import given
from hypothesis import strategies as st

from experiments.claims import judge_claims
from experiments.plan import ClaimPlan, Plan
from experiments.store import Summary


def ran(claims: list[ClaimPlan], variant: str | None = None, **metrics: float) -> tuple[Any, Summary]:
    plan = msgspec.structs.replace(PLAN, claims=tuple(claims), variant=variant)
    return plan, Summary(
        run="r", dir="d", experiment="e", variant=variant, fabric="sim", seed=1, params={}, digest=None, metrics=metrics
    )


def _plan() -> Plan:
    with TemporaryDirectory() as folder:
        return plans_of(Path(folder))[0]


PLAN = _plan()


def claim(figure: str = "100ms", metric: str = "latency_p50_ms", **more: Any) -> ClaimPlan:
    return ClaimPlan(id="C1", says="so it is", metric=metric, figure=figure, **more)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=9), st.integers(1, 1000), st.integers(0, 100))
def test_a_claim_holds_if_the_median_lies_within_the_share_of_the_figure(
    measured: list[int], figure: int, within: int
) -> None:
    one = claim(f"{figure}ms", within=within / 100)
    (judged,) = judge_claims([ran([one], latency_p50_ms=float(value)) for value in measured])
    off = abs(median(measured) - figure) * 100
    assert (judged.measured, judged.runs) == (median(measured), len(measured))
    if off != within * figure:  # at the very edge floats decide
        assert judged.verdict == ("holds" if off < within * figure else "disagrees")
    assert judged.as_declared is (judged.verdict == "holds")


def test_without_a_measurement_a_claim_is_unjudged_and_a_file_may_say_so() -> None:
    (judged,) = judge_claims([ran([claim()])])
    assert (judged.verdict, judged.measured, judged.as_declared) == ("unjudged", None, False)
    assert judge_claims([ran([claim(verdict="unjudged")])])[0].as_declared


def test_a_claim_that_disagrees_as_the_file_says_is_as_declared() -> None:
    (judged,) = judge_claims([ran([claim(verdict="disagrees", because="it is slow")], latency_p50_ms=200.0)])
    assert (judged.verdict, judged.as_declared) == ("disagrees", True)


def test_a_claim_about_a_variant_looks_at_its_runs_alone() -> None:
    one = claim(metric="b.latency_p50_ms")
    runs = [ran([one], "a", latency_p50_ms=1.0), ran([one], "b", latency_p50_ms=100.0)]
    assert [(judged.measured, judged.runs, judged.verdict) for judged in judge_claims(runs)] == [(100.0, 1, "holds")]


def test_two_claims_on_one_metric_are_both_judged() -> None:
    both = [claim("100ms"), claim("200ms")]
    assert [judged.verdict for judged in judge_claims([ran(both, latency_p50_ms=100.0)] * 2)] == ["holds", "disagrees"]


def test_a_rate_and_a_share_are_held_against_their_units() -> None:
    both = [claim("1001/s", "throughput_ops_s", within=0.0), claim("57%", "availability", within=0.0)]
    assert [one.verdict for one in judge_claims([ran(both, throughput_ops_s=1001.0, availability=0.57)])] == [
        "holds"
    ] * 2
