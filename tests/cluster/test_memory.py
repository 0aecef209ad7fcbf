"""A simulation's memory does not grow with its virtual time: history and events go to disk as they come."""

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.settings import MS, SECOND
from cluster.fabric import Progress
from experiments.plan import ClusterPlan, PartPlan, Plan, WorkloadPlan
from experiments.runner import run_plan

SYSTEMS: dict[str, dict[str, Any]] = {
    "bully": {},
    "raft": {"election_timeout_ns": (150 * MS, 300 * MS), "snapshot_every": 200},
}


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_four_times_the_time_takes_no_more_memory(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of memory in use after 2 and after 8 s of 200 operations a second. A system must compact its own log."""
    monkeypatch.setattr("cluster.sim.loop.WATCH_EVERY_S", 0.0)
    plan = Plan(
        experiment="memory",
        seed=1,
        duration_ns=8 * SECOND,
        cluster=ClusterPlan(regions=("us-east-1",) * 3, latency="aws-2025", fsync_ns=MS),
        system=PartPlan(name=system, settings=SYSTEMS[system]),
        workloads=(
            WorkloadPlan(called="register", name="register", settings={"clients": 20, "rate": 200.0, "keys": 8}),
        ),
    )
    blocks: dict[int, int] = {}

    def watch(progress: Progress) -> None:
        second = progress.now_ns // SECOND
        if second not in blocks:
            gc.collect()
            blocks[second] = sys.getallocatedblocks()

    run_plan(plan, tmp_path, watch=watch)
    assert blocks[7] < blocks[2] + 2000
    journal = tmp_path / "journal" / "sim.msgpack"
    assert journal.stat().st_size > 8 * 200 * 20, "the history is there, on disk"
