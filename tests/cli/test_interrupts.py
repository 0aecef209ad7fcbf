"""Runs that end before their time: interrupted, killed, or two at once. Their folders tell what became of them."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.command import LONG, SMALL, ended, splitbrain, start, write
from processes import processes_marked

from experiments.store import StoredRun, runs

PATIENCE_S = 60  # of a machine under load


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for something to become true."""
    began_s = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began_s < PATIENCE_S, f"waited in vain: {what}"
        time.sleep(0.05)
    return found


@pytest.fixture
def mark() -> Iterator[str]:
    """What the environment of all processes of a test holds; those that are left at its end are killed."""
    mark = uuid.uuid4().hex
    yield mark
    for pid in processes_marked(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def under_way(store: Path, count: int) -> list[StoredRun]:
    """Wait until so many runs are going on and have written of it."""

    def journals() -> list[StoredRun]:
        found = runs(store)
        written = [run for run in found if any(one.stat().st_size > 10_000 for one in run.path.glob("journal/*"))]
        return written if len(written) >= count else []

    return until(journals, f"{count} runs under way")  # type: ignore[no-any-return]


def gone(mark: str) -> None:
    until(lambda: not processes_marked(mark), "no process left")


def interrupt_all(process: "subprocess.Popen[str]") -> None:
    """As a terminal does it."""
    os.killpg(process.pid, signal.SIGINT)


def interrupt_one(process: "subprocess.Popen[str]") -> None:
    """As a supervisor does it: the driver alone hears of it."""
    process.send_signal(signal.SIGINT)


def terminate_one(process: "subprocess.Popen[str]") -> None:
    process.terminate()


MORE = [(4, interrupt_all), (1, terminate_one), (4, terminate_one)]


@pytest.mark.parametrize(
    ("repeat", "stop"),
    [(1, interrupt_all), (4, interrupt_one), *(pytest.param(*one, marks=pytest.mark.long) for one in MORE)],
)
def test_an_interrupt_closes_the_folders_properly_and_leaves_no_process(
    tmp_path: Path, mark: str, repeat: int, stop: Callable[["subprocess.Popen[str]"], None]
) -> None:
    """Of a single run and of a pool, whose waiting runs never begin."""
    store = tmp_path / "s"
    workers = min(repeat, os.cpu_count() or 1)
    process = start("run", write(tmp_path, LONG), "--repeat", repeat, "--json", store=store, SPLITBRAIN_TEST=mark)
    under_way(store, workers)
    stop(process)
    said = ended(process, PATIENCE_S)
    gone(mark)
    assert said.code == 130
    assert "Traceback" not in said.err
    assert (said.document["ok"], said.document["error"]) == (False, "interrupted")
    left = runs(store)
    assert [run.state for run in left] == ["interrupted"] * workers
    assert not any((run.path / "journal").exists() for run in left)
    checked = splitbrain("check", left[0].path, "--json", store=store)
    assert checked.document["verdicts"]["linearizable"]["checked"] > 0


@pytest.mark.parametrize("repeat", [pytest.param(1, marks=pytest.mark.long), 2])
def test_a_killed_driver_leaves_folders_that_are_cut_off_and_can_be_judged(
    tmp_path: Path, mark: str, repeat: int
) -> None:
    store = tmp_path / "s"
    process = start("run", write(tmp_path, LONG), "--repeat", repeat, "--json", store=store, SPLITBRAIN_TEST=mark)
    under_way(store, min(repeat, os.cpu_count() or 1))
    assert {row["state"] for row in splitbrain("list", "--json", store=store).document["runs"]} == {"running"}
    process.kill()
    ended(process)
    gone(mark)
    rows = splitbrain("list", "--json", store=store).document["runs"]
    assert {row["state"] for row in rows} == {"cut off"}
    assert {row["ok"] for row in rows} == {None}
    checked = splitbrain("check", "@last", "--json", store=store)
    assert checked.document["verdicts"]["linearizable"]["checked"] > 0
    assert "nobody has judged it" in splitbrain("show", "@last", store=store).out


def test_two_runs_started_in_the_same_second_do_not_clash(tmp_path: Path) -> None:
    store = tmp_path / "s"
    path = write(tmp_path, SMALL)
    both = [ended(one) for one in [start("run", path, "--json", store=store) for _ in range(2)]]
    assert [said.code for said in both] == [0, 0]
    one, two = (said.document["runs"][0] for said in both)
    assert one["dir"] != two["dir"]
    assert one["digest"] == two["digest"]
    assert [run.state for run in runs(store)] == ["complete", "complete"]
