"""The guardian ends what a driver left, and neither the driver nor anybody else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.live.guardian import MARK, dismiss, set_guardian


@pytest.fixture
def sleeper(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Start a process that does nothing for a while."""

    def start(environment: dict[str, str] | None = None, log: Path | None = None) -> "subprocess.Popen[bytes]":
        output = log.open("wb") if log is not None else subprocess.DEVNULL
        return subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"],
            env={**os.environ, **(environment or {})},
            stderr=output,
        )

    return start


def test_it_kills_what_carries_the_mark_or_logs_into_the_folder_and_nothing_else(
    tmp_path: Path, sleeper: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    """The driver itself, here this test, logs into the folder as well, and lives on."""
    folder = tmp_path / "sb"
    folder.mkdir()
    guardian = set_guardian("m1", str(folder))
    marked, logging = sleeper({MARK: "m1"}), sleeper(log=folder / "a.log")
    other, innocent = sleeper({MARK: "m2"}), sleeper()
    with (folder / "driver.log").open("wb"):
        time.sleep(0.5)
        dismiss(guardian)
    assert marked.wait(5) < 0
    assert logging.wait(5) < 0
    assert (other.poll(), innocent.poll()) == (None, None)
    assert not folder.exists()
    other.kill()
    innocent.kill()
    other.wait()
    innocent.wait()
