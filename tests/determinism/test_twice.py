"""What can't be repeated is caught, and named with its node and its line of code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from determinism.random_plans import digest_of, plan_of
from determinism.wrong_actors import ACTORS

from cluster.sim.trace import Parting, first_parting
from experiments.twice import run_twice

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def traced(name: str, folder: Path, hash_seed: int) -> Path:
    """The trace of one of the wrong actors, from a fresh process."""
    path = folder / f"{hash_seed}.trace"
    subprocess.run(
        [sys.executable, str(HERE / "wrong_actors.py"), name, str(path)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        check=True,
    )
    return path


def parting_of(name: str, folder: Path) -> Parting | None:
    return first_parting(traced(name, folder, 1), traced(name, folder, 2))


def line_with(comment: str) -> int:
    source = (HERE / "wrong_actors.py").read_text().splitlines()
    return next(number for number, line in enumerate(source, start=1) if line.endswith(comment))


def test_a_right_actor_has_one_trace(tmp_path: Path) -> None:
    assert parting_of("right", tmp_path) is None


@pytest.mark.parametrize(
    ("name", "comment", "call"),
    [
        ("hash", "# by hash", "send"),
        ("wall-clock", "# by wall clock", "set_timer"),
        ("hash-value", "# by hash value", "save"),
    ],
)
def test_a_wrong_actor_is_named_with_the_line_that_differs(name: str, comment: str, call: str, tmp_path: Path) -> None:
    parting = parting_of(name, tmp_path)
    assert parting is not None
    assert parting.one is not None
    assert parting.one.what == call
    assert f"wrong_actors.py:{line_with(comment)} in on_" in parting.one.line
    assert parting.number > 0


def test_every_wrong_actor_is_tried() -> None:
    assert set(ACTORS) == {"right", "hash", "wall-clock", "hash-value"}


def test_a_trace_that_ends_early_parts_from_the_longer_one(tmp_path: Path) -> None:
    whole = traced("right", tmp_path, 1)
    short = tmp_path / "short.trace"
    short.write_bytes(whole.read_bytes()[:0])
    parting = first_parting(whole, short)
    assert parting is not None
    assert (parting.number, parting.other) == (0, None)


@pytest.mark.parametrize("number", [3, 14])
def test_a_random_experiment_run_twice_is_the_same_and_has_the_digest_of_a_plain_run(number: int) -> None:
    """Writing a trace changes nothing."""
    twice = run_twice(plan_of(number))
    assert twice.same
    assert twice.digests == (digest_of(plan_of(number)),) * 2
