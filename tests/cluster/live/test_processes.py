"""What becomes of a run's processes: they listen on this machine only, and none outlives its driver."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from fabric_runs import entries_of
from processes import listening_addresses, processes_marked
from raft_driver import setup

from actors.history import Invoke
from cluster.journal import FaultHealed, FaultInjected
from cluster.live.socket import LOOPBACK

pytestmark = pytest.mark.ray
ROOT = Path(__file__).parents[3]
DRIVER = ROOT / "tests" / "raft_driver.py"


class Driver(NamedTuple):
    """A driver's process, its run's folder, and the mark that all of its processes carry."""

    process: "subprocess.Popen[str]"
    folder: Path
    mark: str


@pytest.fixture
def start_driver(tmp_path: Path) -> Iterator[Callable[[], Driver]]:
    """Start drivers whose runs last a minute, each with a Ray of its own."""
    started: list[Driver] = []
    temporary = tempfile.mkdtemp(prefix="t", dir="/tmp")  # Ray's sockets can't have long paths

    def start() -> Driver:
        mark, folder = uuid.uuid4().hex, tmp_path / str(len(started))
        paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
        process = subprocess.Popen(
            [sys.executable, str(DRIVER), str(folder), "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, "SPLITBRAIN_TEST": mark, "TMPDIR": temporary},
            start_new_session=True,
        )
        started.append(Driver(process, folder, mark))
        return started[-1]

    yield start
    for driver in started:
        for pid in (driver.process.pid, *processes_marked(driver.mark)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        driver.process.wait(10)
        assert driver.process.stdout is not None
        driver.process.stdout.close()
    deadline_s = time.monotonic() + 10
    while (left := os.listdir(temporary)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    shutil.rmtree(temporary)
    assert left == [], "Ray's temporary files are removed"


@pytest.fixture
def driver(start_driver: Callable[[], Driver]) -> Driver:
    """A driver whose run is under way."""
    driver = start_driver()
    assert driver.process.stdout is not None
    assert driver.process.stdout.readline() == "running\n"
    return driver


def gone_within_s(driver: Driver, limit_s: float) -> float:
    """How long it takes until no process of the run is left; fails beyond the limit."""
    began_s = time.monotonic()
    while left := processes_marked(driver.mark):
        driver.process.poll()
        assert time.monotonic() - began_s < limit_s, f"still alive: {left}"
        time.sleep(0.05)
    return time.monotonic() - began_s


def recorded(driver: Driver) -> list[object]:
    """What can be read of the journals."""
    return [entry.item for entry in entries_of(setup(60), driver.folder)] if driver.folder.exists() else []


def test_an_interrupt_heals_closes_and_leaves_no_process(driver: Driver) -> None:
    """As a terminal does it: every process of the foreground group gets the signal."""
    os.killpg(driver.process.pid, signal.SIGINT)
    out, _ = driver.process.communicate(timeout=30)
    assert driver.process.returncode == 0
    assert out.startswith("interrupted=True")
    gone_within_s(driver, 5)
    items = recorded(driver)
    injected = {item.number for item in items if isinstance(item, FaultInjected)}
    healed = {item.number for item in items if isinstance(item, FaultHealed)}
    assert injected == healed == {0, 1}


def test_processes_listen_here_only_and_die_with_a_killed_driver(driver: Driver) -> None:
    """And what was journalled until then can be read."""
    processes = processes_marked(driver.mark)
    assert len(processes) >= 6, "Ray's own, the conductor, hosts"
    dashboards = [line for line in processes.values() if "dashboard/dashboard.py" in line]
    assert all("--minimal" in line and "--disable-frontend" in line for line in dashboards), "no page is served"
    addresses = listening_addresses(processes)
    assert len(addresses) >= 4, "an inbox each of the conductor and the hosts"
    assert {address for address, _ in addresses} == {LOOPBACK}
    os.kill(driver.process.pid, signal.SIGKILL)
    gone_within_s(driver, 10)
    items = recorded(driver)
    assert sum(isinstance(item, Invoke) for item in items) >= 4, "each client process asked at least once"
    assert sum(isinstance(item, FaultInjected) for item in items) == 2


def kill_at(start_driver: Callable[[], Driver], after_s: float) -> list[object]:
    """Kill a driver so long after its start; gives what its run had recorded, once all its processes are gone."""
    driver = start_driver()
    time.sleep(after_s)
    os.kill(driver.process.pid, signal.SIGKILL)
    gone_within_s(driver, 10)
    return recorded(driver)


def test_a_driver_killed_while_ray_starts_leaves_nothing(start_driver: Callable[[], Driver]) -> None:
    """Its processes are half started then, and know nobody who could end them."""
    assert not any(isinstance(item, FaultInjected) for item in kill_at(start_driver, 1.5))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_driver_killed_at_any_moment_leaves_a_readable_record_and_nothing_else(
    start_driver: Callable[[], Driver],
) -> None:
    """A hundred times, from the first import to some seconds into the run."""
    rng = Random(1)
    recordings = [kill_at(start_driver, rng.uniform(0.2, 12)) for _ in range(100)]
    assert sum(any(isinstance(item, Invoke) for item in items) for items in recordings) > 20
