"""splitbrain's public door: the command, and what a Python program may call.

    import splitbrain
    runs = splitbrain.run("experiments/catalog/leader-election.yaml", seed=7)
    assert runs.ok, runs.verdicts()
    runs.history().aggregate("function, outcome, count(*)").show()

`run` also takes an experiment as a mapping, in the words of a file:

    splitbrain.run({"name": "t", "cluster": {"nodes": 3}, "system": "raft", "workload": "register", "duration": "5s"})

Our packages have plain names, which a folder of the user's can shadow; so nothing of them is imported up here.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import duckdb

    from experiments.checkers.verdict import Verdict
    from experiments.claims import JudgedClaim
    from experiments.recording import Recording
    from experiments.request import Wanted
    from experiments.store import StoredRun
    from experiments.store.summary import GroupExpected

PACKAGES = ("actors", "cluster", "chaos", "experiments")
BAD_INPUT = 2


class Shadowed(ImportError):
    """Another package of the same name comes before one of ours. Names its path."""


class Run(NamedTuple):
    """A recorded run."""

    stored: "StoredRun"

    @property
    def ok(self) -> bool:
        """Whether all that was asked for held; False for a run that was cut off."""
        return self.stored.summary is not None and self.stored.summary.ok

    @property
    def metrics(self) -> dict[str, float]:
        """Name -> value; see docs/metrics.md."""
        return self.stored.summary.metrics if self.stored.summary else {}

    @property
    def verdicts(self) -> "dict[str, Verdict]":
        """Checker -> what it says."""
        return self.stored.summary.verdicts if self.stored.summary else {}

    def recording(self) -> "Recording":
        """The record: operations, events, faults. Raises experiments.store.StoreError if it can't be read."""
        from experiments.store import load_recording

        return load_recording(self.stored.path)

    def history(self) -> "duckdb.DuckDBPyRelation":
        """One operation a row; `.df()` makes a pandas frame of it, `.arrow()` an Arrow table."""
        return Runs([self], self.stored.origin.group, self.ok, ()).history()


class Runs(NamedTuple):
    """What `run` returns: the runs of one experiment, as their folders tell them."""

    runs: list[Run]
    group: str
    ok: bool  # all that was asked for holds, in every run and of all together
    expect: "Sequence[GroupExpected]"  # what was expected of several runs together
    claims: "Sequence[JudgedClaim]" = ()  # what a text says, beside what was measured

    def history(self) -> "duckdb.DuckDBPyRelation":
        """One operation a row, of all runs."""
        return self._relation("history")

    def events(self) -> "duckdb.DuckDBPyRelation":
        """One event a row: roles, faults, commits, ... `fields` is JSON."""
        return self._relation("events")

    def seconds(self) -> "duckdb.DuckDBPyRelation":
        """Counts and percentiles by second, region and function."""
        return self._relation("metrics")

    def metrics(self) -> list[dict[str, Any]]:
        """One row a run: its variant, seed, parameters and all its metrics."""
        from experiments.frames import figures

        return figures([run.stored for run in self.runs])

    def verdicts(self) -> "list[dict[str, Verdict]]":
        """What the checkers say of each run."""
        return [run.verdicts for run in self.runs]

    def _relation(self, table: str) -> "duckdb.DuckDBPyRelation":
        from experiments.frames import relation

        return relation([run.stored for run in self.runs], table)


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
    experiment: str | Path | Mapping[str, Any],
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
    """Run an experiment file, a plan, a recorded run again, or an experiment given as a mapping.

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
    from experiments.request import Changes, plans_of, plans_of_mapping

    assigned = tuple(f"{path}={value}" for path, value in (sets or {}).items())
    changes = Changes(fabric=fabric, seed=seed, sets=assigned, repeat=repeat, duration=duration, variant=variant)
    if isinstance(experiment, Mapping):
        wanted = plans_of_mapping(experiment, changes)
    else:
        wanted = plans_of(str(experiment), Path(store), changes)
    return _run_all(wanted, Path(store), address)


def _run_all(wanted: "Wanted", store: Path, address: str | None) -> Runs:
    """Run all plans that were asked for; the first that fails or is interrupted raises."""
    from cluster.fabric import FabricError
    from experiments.batch import Batch, run_batch
    from experiments.claims import judge_claims
    from experiments.execute import new_group
    from experiments.judge import judge_group
    from experiments.store import open_run

    batch = Batch(plans=wanted.plans, store=store, group=new_group(), source=wanted.source, address=address)
    ended = {}
    for place, done in run_batch(batch, lambda *_: None):
        if isinstance(done, Exception):
            raise FabricError(f"a run was lost: {done}")
        if done.summary.failed is not None:
            raise FabricError(done.summary.failed)
        if done.summary.interrupted:
            raise KeyboardInterrupt
        ended[place] = done
    finished = [ended[place] for place in sorted(ended)]
    together = [(done.plan, done.summary) for done in finished]
    expected, claims = judge_group(together), judge_claims(together)
    ok = all(done.summary.ok for done in finished) and all(line.holds is True for line in expected)
    ok = ok and all(claim.as_declared for claim in claims)
    return Runs([Run(open_run(done.path)) for done in finished], batch.group, ok, expected, claims)


def load_run(name: str | Path, *, store: str | Path = "runs") -> Run:
    """A recorded run.

    Args:
        name: a folder, an id, a unique prefix, `@last` or `@last~1`.

    Raises: experiments.store.StoreError if there is no such run, or it can't be read.
    """
    check_packages()
    from experiments.store import find_run

    return Run(find_run(Path(store), str(name)))


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
