"""Every file of the catalogue is the same run, bit for bit, in two fresh processes with other hashes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.glossary import CATALOG

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(CATALOG.glob("*.yaml"))
QUICK = [path for path in FILES if path.stem in ("leader-election", "raft-broken-quorum")]


def started(paths: list[Path], hash_seed: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(HERE / "catalogue_digests.py"), *map(str, paths)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def printed(process: "subprocess.Popen[str]") -> list[str]:
    out, _ = process.communicate()
    assert process.returncode == 0
    return out.splitlines()


def same_in_two_processes(paths: list[Path]) -> None:
    one, other = (started(paths, hash_seed) for hash_seed in (1, 2))
    found = printed(one)
    assert found == printed(other)
    assert {line.split()[0] for line in found} == {path.stem for path in paths}
    digests = [line.split()[2] for line in found]
    assert len(set(digests)) == len(digests), "and no two of them are the same run"


def test_some_of_the_catalogue_in_two_processes() -> None:
    same_in_two_processes(QUICK)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_whole_catalogue_in_two_processes(path: Path) -> None:
    same_in_two_processes([path])
