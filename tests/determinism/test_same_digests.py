"""The same experiment is the same run, bit for bit: in another process, with other hashes, in another order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def start(first: int, count: int, *, hash_seed: int, reverse: bool = False) -> "subprocess.Popen[str]":
    """A fresh process that runs these experiments and prints their digests."""
    order = ("--reverse",) if reverse else ()
    return subprocess.Popen(
        [sys.executable, str(HERE / "random_plans.py"), str(first), str(count), *order],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def digests(process: "subprocess.Popen[str]") -> dict[int, str]:
    """What a process printed, by experiment."""
    out, _ = process.communicate()
    assert process.returncode == 0
    return {int(number): digest for number, digest in (line.split() for line in out.splitlines())}


def run_twice(first: int, count: int) -> tuple[dict[int, str], dict[int, str]]:
    """Side by side in two processes: once in order, once in reverse order under another hash seed."""
    forward = start(first, count, hash_seed=1)
    backward = start(first, count, hash_seed=2, reverse=True)
    return digests(forward), digests(backward)


def test_200_random_experiments_give_the_same_digests_in_two_fresh_processes() -> None:
    """Other PYTHONHASHSEED, reverse order. And the digest tells them apart: no two of them are the same run."""
    forward, backward = run_twice(0, 200)
    assert forward == backward
    assert len(set(forward.values())) == 200


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("first", range(1000, 11_000, 1000))
def test_10000_random_experiments_give_the_same_digests(first: int) -> None:
    forward, backward = run_twice(first, 1000)
    assert forward == backward
    assert len(set(forward.values())) == 1000
