"""Why a run went as it did: the same seed again without each fault, one at a time, told by what is different then.

Every step of a schedule draws from a stream of its own, so leaving one out changes nothing but what follows from it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from experiments.execute import execute
from experiments.plan import Plan, StepPlan
from experiments.schedule import kind_of
from experiments.store.summary import Summary

TOLD = {  # metric -> (which way is worse, by how much at least to be told: a difference, a factor)
    "availability": (-1, 0.005, 1.0),
    "longest_outage_ms": (1, 50.0, 1.2),
    "recovery_max_ms": (1, 50.0, 1.2),
    "latency_p99_ms": (1, 1.0, 1.2),
    "elections": (1, 1.0, 1.0),
}


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What is different without one fault."""

    step: str  # its place in the schedule, or its label
    fault: str
    caused: list[str]  # in words; empty if all is as it was
    violations: list[str]  # the checks and expectations that fail with it and not without it
    metrics: dict[str, dict[str, float | None]]  # name -> with it, without it


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Which fault caused what."""

    failed: list[str]  # the checks and expectations that the run failed
    faults: list[Removed]
    without_any: list[str]  # those that fail without any fault at all
    unexplained: list[str]  # those that no single fault's absence cures, and the absence of all does


def why(plan: Plan, watch: Callable[[str], None]) -> Why:
    """Run a plan on the simulator: as it is, without each step of its schedule, and without all."""
    plan = msgspec.structs.replace(plan, fabric="sim")
    with tempfile.TemporaryDirectory(prefix="splitbrain-why-") as folder:

        def summary_of(chaos: tuple[StepPlan, ...], what: str) -> Summary:
            watch(what)
            changed = msgspec.structs.replace(plan, chaos=chaos)
            return execute(changed, Path(folder), group="why", watch=lambda _: None).summary

        whole = summary_of(plan.chaos, "as it was")
        removed = []
        for place, step in enumerate(plan.chaos):
            rest = plan.chaos[:place] + plan.chaos[place + 1 :]
            removed.append(_removed(step, place, whole, summary_of(rest, f"without {name_of(step, place)}")))
        bare = summary_of((), "without any fault") if len(plan.chaos) > 1 else None
    failed = failures(whole)
    if bare is None and removed:
        still = [what for what in failed if what not in removed[0].violations]
    else:
        still = failures(bare or whole)
    cured = {what for one in removed for what in one.violations}
    without_any = [what for what in failed if what in still]
    unexplained = [what for what in failed if what not in cured and what not in without_any]
    return Why(failed=failed, faults=removed, without_any=without_any, unexplained=unexplained)


def name_of(step: StepPlan, place: int) -> str:
    """How a step is called: by its label, else by its fault and its line in the schedule."""
    return step.label or f"{kind_of(step)} (step {place + 1})"


def failures(summary: Summary) -> list[str]:
    """The checks that found a run invalid, and the expectations that don't hold."""
    checks = [name for name, verdict in summary.verdicts.items() if verdict.valid is False]
    return checks + [line.text for line in summary.expect if line.holds is not True]


def _removed(step: StepPlan, place: int, whole: Summary, without: Summary) -> Removed:
    still = failures(without)
    violations = [what for what in failures(whole) if what not in still]
    metrics = {
        name: {"with": whole.metrics.get(name), "without": without.metrics.get(name)}
        for name in TOLD
        if _worse(name, whole.metrics.get(name), without.metrics.get(name))
    }
    caused = [f"{what}: fails with it, holds without it" for what in violations]
    caused += [
        f"{name}: {_figure(both['with'])}, without it {_figure(both['without'])}" for name, both in metrics.items()
    ]
    return Removed(
        step=name_of(step, place), fault=kind_of(step), caused=caused, violations=violations, metrics=metrics
    )


def _worse(name: str, value: float | None, without: float | None) -> bool:
    """Whether a metric is worse with the fault, by enough to be told."""
    if value is None:
        return False
    if without is None:
        return True
    way, least, factor = TOLD[name]
    worse, better = (value, without) if way > 0 else (without, value)
    return worse - better >= least and worse >= factor * better


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
