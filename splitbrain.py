"""splitbrain's public door: the command, and what a Python program may call.

    import splitbrain
    done = splitbrain.run("experiments/catalog/leader-election.yaml", seed=7)
    assert done.ok, done.runs[0].summary.verdicts

Our packages have plain names, which a folder of the user's can shadow; so nothing of them is imported up here.
"""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from experiments.recording import Recording
    from experiments.store import StoredRun

PACKAGES = ("actors", "cluster", "chaos", "experiments")
BAD_INPUT = 2


class Shadowed(ImportError):
    """Another package of the same name comes before one of ours. Names its path."""


class Runs(NamedTuple):
    """What `run` returns: the runs of one experiment, as their folders tell them."""

    runs: "list[StoredRun]"
    group: str
    ok: bool  # all that was asked for holds in every run


def main() -> None:
    """The command `splitbrain`."""
    try:
        check_packages()
    except Shadowed as error:
        print(error, file=sys.stderr)
        sys.exit(BAD_INPUT)
    from experiments.cli import main as command

    command()


def run(
    experiment: str | Path,
    *,
    fabric: str | None = None,
    seed: int | None = None,
    repeat: int | None = None,
    duration: str | None = None,
    variant: str | None = None,
    sets: Mapping[str, str] | None = None,
    store: str | Path = "runs",
    address: str | None = None,
) -> Runs:
    """Run an experiment file, a plan or a recorded run again, as the command does.

    Args:
        sets: dotted path -> value as the file would write it.
        store: the folder that holds the runs.
        address: a running Ray cluster's; without it the Ray fabric starts one.

    Raises:
        experiments.spec.InvalidFile, experiments.request.BadRequest: what was asked for is wrong.
        cluster.fabric.FabricError: the fabric failed; the run's folder is kept.
        KeyboardInterrupt: after the interrupted run's folder was closed.
    """
    check_packages()
    from cluster.fabric import FabricError
    from experiments.execute import execute, new_group
    from experiments.request import Changes, plans_of
    from experiments.store import open_run

    assigned = tuple(f"{path}={value}" for path, value in (sets or {}).items())
    changes = Changes(fabric=fabric, seed=seed, sets=assigned, repeat=repeat, duration=duration, variant=variant)
    wanted, group, runs = plans_of(str(experiment), Path(store), changes), new_group(), []
    for plan in wanted.plans:
        done = execute(plan, Path(store), group=group, watch=lambda _: None, source=wanted.source, address=address)
        if done.summary.failed is not None:
            raise FabricError(done.summary.failed)
        if done.summary.interrupted:
            raise KeyboardInterrupt
        runs.append(open_run(done.path))
    return Runs(runs, group, all(run.summary is not None and run.summary.ok for run in runs))


def load_run(name: str | Path, *, store: str | Path = "runs") -> "tuple[StoredRun, Recording]":
    """A recorded run and its record: history, events and faults.

    Args:
        name: a folder, an id, a unique prefix, `@last` or `@last~1`.

    Raises: experiments.store.StoreError if there is no such run, or it can't be read.
    """
    check_packages()
    from experiments.store import find_run, load_recording

    stored = find_run(Path(store), str(name))
    return stored, load_recording(stored.path)


def check_packages() -> None:
    """Make sure that Python finds our packages and nobody else's. Raises Shadowed."""
    ours = Path(__file__).resolve().parent
    for name in PACKAGES:
        spec = find_spec(name)
        places = [Path(place).resolve() for place in (spec.submodule_search_locations or [])] if spec else []
        if places != [ours / name]:
            found = spec.origin or ", ".join(map(str, places)) if spec else "nowhere"
            raise Shadowed(
                f"Python finds the package {name!r} at {found}, and splitbrain's is {ours / name}; "
                "start in another folder, rename yours, or take it off PYTHONPATH"
            )


if __name__ == "__main__":
    main()
