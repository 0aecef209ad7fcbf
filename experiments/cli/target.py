"""What the FILE of `run` names: an experiment file, a resolved plan, or a run whose plan is to be repeated."""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from experiments import plan as plans
from experiments import runner
from experiments.checkers import CHECKERS
from experiments.cli.output import BadInput
from experiments.judge import named_checkers
from experiments.plan import Plan
from experiments.spec import catalogue, load_spec
from experiments.store import StoreError, find_run
from experiments.store.folder import EXPERIMENT, PLAN
from experiments.unfold import unfold


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
        BadInput: it is no plan that can be run, or the changes don't fit it.
        StoreError: it names no run.
    """
    plan = _plan_file(target, store)
    if plan is None:
        return _from_experiment(Path(target), changes)
    return _from_plan(plan, changes)
