"""Chaos stays inside the emulation: nothing of it is left on the machine, nor was it ever outside the run's folder."""

import os
import time
from pathlib import Path
from textwrap import dedent

import pytest

from experiments.execute import execute
from experiments.spec import load_spec
from experiments.unfold import unfold

FILE = """
name: everything
cluster: {nodes: 3, latency: lan}
system: {raft: {election_timeout: 300ms..600ms}}
workload: {register: {clients: 4, rate: 20/s, timeout: 1s}}
duration: 12s
chaos: everything
"""


def hosts_of_runs() -> set[str]:
    """The processes of any run's hosts and conductor, as their titles say."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                title = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
            except OSError:
                continue
            if title.startswith(("ray::Host", "ray::Conductor")) and _is_ours(entry):
                found.add(entry.name)
    return found


def _is_ours(entry: Path) -> bool:
    """Whether it works from this very tree: others may run on the same machine."""
    try:
        return str(Path.cwd()) in (entry / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return False


def machine(folder: Path) -> dict[str, object]:
    """What a fault could have changed: the machine's clock, its files around us, who runs, how much we may use."""
    return {
        "clock": round((time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) / 1e9, 1),
        "files": sorted(path.name for path in folder.iterdir()),
        "here": sorted(path.name for path in Path.cwd().iterdir()),
        "hosts": hosts_of_runs(),
        "affinity": os.sched_getaffinity(0),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
    }


@pytest.mark.ray
def test_everything_on_ray_leaves_the_machine_as_it_was(ray_session, tmp_path):
    path = tmp_path / "everything.yaml"
    path.write_text(dedent(FILE))
    (plan,) = unfold(load_spec(path), fabric="ray")
    store = tmp_path / "runs"
    store.mkdir()
    before = machine(tmp_path)
    finished = execute(plan, store, group="g", watch=lambda _: None)
    assert finished.summary.failed is None
    assert len(finished.recording.faults) >= 5
    deadline_s = time.monotonic() + 10  # a killed process is there for some moments more
    while (after := machine(tmp_path))["hosts"] != before["hosts"] and time.monotonic() < deadline_s:
        time.sleep(0.2)
    assert abs(after.pop("clock") - before.pop("clock")) < 0.3
    assert after == before
    assert [path for path in tmp_path.iterdir() if path.name != "everything.yaml"] == [store]
