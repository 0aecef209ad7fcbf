"""What becomes of a run's processes: they listen on this machine only, and none outlives its driver."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
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
def driver(tmp_path: Path) -> Iterator[Driver]:
    """A driver whose run of a minute is under way, with a Ray of its own."""
    mark = uuid.uuid4().hex
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), str(tmp_path), "60"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "SPLITBRAIN_TEST": mark},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    yield Driver(process, tmp_path, mark)
    for pid in (process.pid, *processes_marked(mark)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(10)


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
    return [entry.item for entry in entries_of(setup(60), driver.folder)]


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
