"""Run a plan twice, in two fresh processes whose hashes differ, and find the first event in which the runs part.

As a program it is one of these two processes: `python -m experiments.twice PLAN TRACE`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from cluster.fabric import FabricError
from cluster.sim.trace import Parting, TraceLine, first_parting
from experiments import plan as plans
from experiments import runner
from experiments.plan import Plan

HASH_SEEDS = ("1", "2")


class Twice(msgspec.Struct, frozen=True, kw_only=True):
    """What came of running a plan twice."""

    same: bool
    digests: tuple[str, str]
    shared: int | None = None  # how many events the two runs have in common before they part
    node: str | None = None  # the node that made the first event that differs
    line: str | None = None  # the code that asked for it
    one: str | None = None  # that event in the first run, in words
    other: str | None = None

    def words(self) -> str:
        """For people to read."""
        if self.same:
            return f"twice the same: {self.digests[0]}"
        if self.shared is None:
            return f"the digests differ ({' and '.join(self.digests)}), though nothing that a node did does"
        where = f" at {self.line}" if self.line else ""
        return f"the two runs part after {self.shared} events: {self.node}{where}\n  {self.one}\n  {self.other}"


def run_twice(plan: Plan) -> Twice:
    """Run a plan on the simulator in two processes, side by side.

    Raises: FabricError if one of them failed.
    """
    with tempfile.TemporaryDirectory(prefix="splitbrain-twice-") as name:
        folder = Path(name)
        (folder / "plan.json").write_bytes(plans.encode(msgspec.structs.replace(plan, fabric="sim")))
        processes = [_start(folder, hash_seed) for hash_seed in HASH_SEEDS]
        one, other = [_digest(process) for process in processes]
        parting = first_parting(*(folder / f"{hash_seed}.trace" for hash_seed in HASH_SEEDS))
    return _told(plan, (one, other), parting)


def _start(folder: Path, hash_seed: str) -> "subprocess.Popen[str]":
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return subprocess.Popen(
        [sys.executable, "-m", "experiments.twice", str(folder / "plan.json"), str(folder / f"{hash_seed}.trace")],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _digest(process: "subprocess.Popen[str]") -> str:
    out, errors = process.communicate()
    if process.returncode:
        raise FabricError(f"a run in a process of its own failed:\n{errors.strip()}")
    return out.split()[-1]


def _told(plan: Plan, digests: tuple[str, str], parting: Parting | None) -> Twice:
    if parting is None:
        return Twice(same=digests[0] == digests[1], digests=digests)
    name = runner.topology_of(plan).name
    first = parting.one or parting.other
    assert first is not None
    lines = dict.fromkeys(line.line for line in (parting.one, parting.other) if line is not None and line.line)
    return Twice(
        same=False,
        digests=digests,
        shared=parting.number,
        node=name(first.node),
        line=" or ".join(lines) or None,
        one=_words(parting.one, name(parting.one.node) if parting.one else ""),
        other=_words(parting.other, name(parting.other.node) if parting.other else ""),
    )


def _words(line: TraceLine | None, node: str) -> str:
    if line is None:
        return "the run is over"
    at = f" at {line.line}" if line.line else ""
    return f"{line.time_ns / 1e6:.6f} ms: {node} {line.what} {line.content}{at}"


def main(plan: str, trace: str) -> None:
    """Run the plan, write its trace and print its digest."""
    with tempfile.TemporaryDirectory(prefix="splitbrain-twice-") as folder:
        result = runner.run_plan(
            plans.decode(Path(plan).read_bytes()), Path(folder), watch=lambda _: None, trace=Path(trace)
        )
    print(result.digest)


if __name__ == "__main__":
    main(*sys.argv[1:])
