"""What is wrong with a resolved plan that was written by hand, or by another version: told before anything runs."""

from collections.abc import Iterable, Iterator

import msgspec

from actors.settings import Settings
from chaos import conditions
from chaos.schedule import Step
from cluster.latency import profile_names, profile_of
from experiments import expect, runner, schedule
from experiments.checkers import CHECKERS
from experiments.judge import named_checkers
from experiments.near_words import did_you_mean
from experiments.plan import Plan
from experiments.spec.models import MAX_NODES
from experiments.spec.quantities import LONGEST_NS

MAX_SEED = (1 << 63) - 1  # what the tables of a run can hold


def problems(plan: Plan) -> Iterator[str]:
    """All that keeps a plan from being run and judged; nothing if it can be."""
    try:
        yield from _frame(plan)
        yield from _parts(plan)
        yield from _judges(plan)
    except KeyError as error:
        yield f"{error} is not known here"
    except (msgspec.ValidationError, ValueError) as error:
        yield str(error)


def _frame(plan: Plan) -> Iterator[str]:
    if not 0 < plan.duration_ns <= LONGEST_NS:
        yield f"duration_ns is {plan.duration_ns}; a run lasts longer than nothing and at most a year"
    if not 0 <= plan.warm_up_ns < plan.duration_ns:
        yield f"warm_up_ns is {plan.warm_up_ns}; it lies between 0 and the duration"
    if not 0 <= plan.seed <= MAX_SEED:
        yield f"the seed is {plan.seed}; a seed is a whole number from 0 to {MAX_SEED}"
    cluster = plan.cluster
    if not 1 <= len(cluster.regions) <= MAX_NODES:
        yield f"there are {len(cluster.regions):,} servers; there must be from 1 to {MAX_NODES:,}"
    if cluster.density < 1 or cluster.fsync_ns < 0 or (cluster.inside_region_rtt_ns or 0) < 0:
        yield "the cluster's times can't be negative, and its density is 1 at least"
    if isinstance(cluster.latency, str) and cluster.latency not in profile_names():
        yield f"there is no latency profile {cluster.latency!r}; {did_you_mean(cluster.latency, profile_names())}"
        return
    profile = profile_of(cluster.latency)
    known = profile.regions
    for region in dict.fromkeys(cluster.regions):
        if region not in known:
            yield f"the profile {profile.name} has no region {region!r}; {did_you_mean(region, known)}"


def _parts(plan: Plan) -> Iterator[str]:
    """The system, the workloads and the schedule, whose settings must go together."""
    kind = runner.system_class(plan).settings_type
    yield from _wrong(plan.system.name, msgspec.convert(plan.system.settings, kind))
    if not plan.workloads:
        yield "there is no workload"
    for part in plan.workloads:
        yield from _wrong(part.called, runner.workload_of(part))
    for step in schedule.steps_of(plan.chaos):
        yield from _step(step)
    steady = schedule.steady_of(plan)
    for text in (*plan.stop_when, *((steady.condition,) if steady else ())):
        conditions.parse(text)


def _step(step: Step) -> Iterator[str]:
    times = {"at_ns": step.at_ns, "every_ns": step.every_ns, "for_ns": step.for_ns, "wait_ns": step.wait_ns}
    for name, value in times.items():
        if value is not None and value < (1 if name == "every_ns" else 0):
            yield f"{step.name}: {name} is {value}"
    if step.fault is not None:
        yield from _wrong(step.name, step.fault)
    for text in (step.when, step.until):
        if text is not None:
            conditions.parse(text)
    for inner in (*step.sequence, *step.together):
        yield from _step(inner)


def _wrong(name: str, settings: Settings) -> Iterator[str]:
    for field, message in settings.problems():
        yield f"{'.'.join(filter(None, (name, field)))}: {message}"


def _judges(plan: Plan) -> Iterator[str]:
    yield from _unknown_checkers((*plan.check, *named_checkers(plan)))
    for claim in plan.claims:
        expect.reference(claim.metric)
        expect.quantity(claim.figure)


def _unknown_checkers(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in CHECKERS:
            yield f"there is no checker {name!r}; {did_you_mean(name, CHECKERS)}"
