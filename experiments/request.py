"""What is asked to be run: an experiment file, a resolved plan, or a run whose plan is to be repeated."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from experiments import plan as plans
from experiments import plan_checks
from experiments.near_words import did_you_mean
from experiments.plan import Plan
from experiments.spec import load_spec
from experiments.spec.document import tree_of
from experiments.spec.load import spec_of
from experiments.spec.models import MAX_REPEATS
from experiments.store import StoreError, find_run
from experiments.store.folder import EXPERIMENT, PLAN
from experiments.unfold import unfold


class BadRequest(Exception):
    """What was asked for makes no sense. Names the thing, the value and the remedy."""


class Wanted(NamedTuple):
    """The runs that a command asks for, and the experiment file behind them as it was given."""

    plans: list[Plan]
    source: bytes | None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for beside the file; None leaves it as it is there."""

    fabric: str | None = None
    seed: int | None = None
    sets: tuple[str, ...] = ()
    repeat: int | None = None
    duration: str | None = None
    variant: str | None = None


def plans_of(target: str, store: Path, changes: Changes) -> Wanted:
    """The plans that a target stands for.

    Raises:
        InvalidFile: it is an experiment file with mistakes.
        BadRequest: it is no plan that can be run, or the changes don't fit it.
        StoreError: it names no run.
    """
    plan = _plan_file(target, store)
    if plan is None:
        return _from_experiment(Path(target), changes)
    return _from_plan(plan, changes)


def plans_of_mapping(experiment: Mapping[str, Any], changes: Changes) -> Wanted:
    """The plans of an experiment that a Python program gives as a mapping, in the words of a file. Raises as above."""
    tree = tree_of(experiment, "<mapping>")
    spec = spec_of(tree, Path("<mapping>"), overrides(changes))
    return Wanted(_of_variant(unfold(spec, fabric=changes.fabric or "sim"), changes, "the mapping"), None)


def _plan_file(target: str, store: Path) -> Path | None:
    """The file of the resolved plan that a target names; None if it must be an experiment file."""
    path = Path(target)
    if path.suffix == ".json":
        return path
    if os.path.exists(path) and not os.path.isfile(path / PLAN):
        return None
    try:
        return find_run(store, target).path / PLAN
    except StoreError:
        if target.startswith("@"):
            raise
        return None


def _from_experiment(path: Path, changes: Changes) -> Wanted:
    """Validate a file and unfold it."""
    unfolded = unfold(load_spec(path, overrides(changes)), fabric=changes.fabric or "sim")
    return Wanted(_of_variant(unfolded, changes, str(path)), path.read_bytes())


def _of_variant(plans: list[Plan], changes: Changes, source: str) -> list[Plan]:
    """The plans of the variant that is asked for; all if none is."""
    if changes.variant is None:
        return plans
    chosen = [plan for plan in plans if plan.variant == changes.variant]
    if not chosen:
        known = list(dict.fromkeys(plan.variant for plan in plans if plan.variant))
        raise BadRequest(
            f"--variant {changes.variant}: {source} has no such variant; {did_you_mean(changes.variant, known)}"
        )
    return chosen


def overrides(changes: Changes) -> dict[str, str]:
    """What the command line sets, as dotted path -> value as the file would write it."""
    found: dict[str, str] = {}
    for item in changes.sets:
        path, equals, value = item.partition("=")
        if not equals or not path:
            raise BadRequest(f"--set {item}: write it as path=value, such as system.raft.pre_vote=true")
        found[path] = value
    named: dict[str, Any] = {"seed": changes.seed, "repeat": changes.repeat, "duration": changes.duration}
    found.update((name, str(value)) for name, value in named.items() if value is not None)
    return found


def _from_plan(path: Path, changes: Changes) -> Wanted:
    """A resolved plan as it is, but for its fabric, seed and number of repeats."""
    for option, value in (("--set", changes.sets), ("--duration", changes.duration), ("--variant", changes.variant)):
        if value:
            raise BadRequest(
                f"{option} changes an experiment file; {path} is a resolved plan, with all of that settled"
            )
    try:
        plan = plans.decode(path.read_bytes())
    except OSError as error:
        raise BadRequest(f"{path} can't be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} is no plan: {error}") from error
    seed, repeat = plan.seed if changes.seed is None else changes.seed, changes.repeat or 1
    if repeat > MAX_REPEATS:
        raise BadRequest(f"--repeat {repeat:,}: {MAX_REPEATS:,} are allowed")
    if seed + repeat - 1 > plan_checks.MAX_SEED:
        raise BadRequest(f"--seed {seed}: seeds end at {plan_checks.MAX_SEED}")
    fabric = changes.fabric or plan.fabric
    repeated = [msgspec.structs.replace(plan, seed=seed + number, fabric=fabric) for number in range(repeat)]
    _check_runnable(repeated[0], path)
    experiment = path.with_name(EXPERIMENT)
    return Wanted(repeated, experiment.read_bytes() if experiment.is_file() else None)


def _check_runnable(plan: Plan, path: Path) -> None:
    """Refuse a plan that was written by hand, or by another version, and names what isn't there."""
    wrong = list(plan_checks.problems(plan))
    if wrong:
        raise BadRequest(f"{path} is a plan that this splitbrain can't run: {'; '.join(wrong)}")
