"""`splitbrain bench raft`: commits a second of the pure core, in the simulator and on Ray, and what each part costs.

Three servers, one client that keeps a window of writes open. The core runs over nothing but a heap; the simulator has
everything on; on Ray every commit is on a majority's disks (fdatasync) before it is answered. What a part costs is its
share of the plain core's commits, the median of runs in turn.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from actors.protocols.raft_messages import Committed
from actors.protocols.raft_settings import RaftSettings
from actors.settings import SECOND
from benchmarks import load
from benchmarks.heap_loop import HeapLoop
from cluster.fabric import ActorSpec, Setup
from cluster.journal import Journal, read_journal
from cluster.sim.fast_loop import FastLoop

WINDOW = 64
RAY_WINDOW = 512
RUN_S = 0.4
RAY_RUN_S = 4
WARM_UP_S = 3
PAIRS = 3

PARTS: dict[str, dict[str, Any]] = {
    "pre_vote": {"pre_vote": True},
    "check_quorum": {"check_quorum": True},
    "read_rounds": {"reads": "read-index"},
    "parallel_write": {"parallel_write": True},
    "in_flight_bytes": {"in_flight_kb": 1024},
    "uncommitted_bound": {"uncommitted_kb": 1024},
    "sessions_expire": {"session_entries": 10_000},
    "snapshots": {"snapshot_every": 10_000},
}
"""What is measured beside the plain core, each alone."""


class LedAtOnce(load.FirstLeads):
    """Its first election is not held up by what a server may have promised before it was started."""

    def start(self) -> None:
        """See `RaftBase.start`."""
        super().start()
        self.heard_ns = -(1 << 60)


def figures(progress: Callable[[str], None], *, peers: bool = False) -> dict[str, float]:
    """Commits a second on each level, and the share that is left of the core's with each part on.

    Args:
        peers: measure PySyncObj in the same run; it comes with the `bench` extra.
    """
    from cluster.live.cluster_start import ray_cluster

    found: dict[str, float] = {}
    progress("the core alone")
    found["core_commits_s"] = median(core_commits_s() for _ in range(PAIRS))
    progress("in the simulator")
    found["sim_commits_s"] = median(sim_commits_s() for _ in range(PAIRS))
    for name, settings in PARTS.items():
        progress(f"the core with {name}")
        pairs = [(core_commits_s(**settings), core_commits_s()) for _ in range(PAIRS)]
        found[f"core_share_with_{name}"] = median(with_it / plain for with_it, plain in pairs)
    progress("on Ray")
    with ray_cluster(None):
        found["ray_commits_s"] = ray_commits_s()
    if peers:
        from benchmarks import pysyncobj_raft

        progress("PySyncObj")
        found["pysyncobj_commits_s_no_fsync"] = pysyncobj_raft.commits_s(
            pysyncobj_raft.BEST_PIPELINED, seconds=RAY_RUN_S, window=RAY_WINDOW
        )
    return found


def setup(window: int, **settings: Any) -> Setup:
    """Three servers of which the first leads, and the client."""
    chosen = RaftSettings(election_timeout_ns=(SECOND, 2 * SECOND), batch=1024, **settings)
    servers = (ActorSpec(LedAtOnce, chosen),) * 3
    client = ActorSpec(load.Window, load.WindowSettings(window=window))
    return load.setup("bench-raft", (*servers, client), servers=3)


def core_commits_s(**settings: Any) -> float:
    """Commits a second of CPU with nothing but a heap around the cores."""
    loop = HeapLoop(setup(WINDOW, **settings))
    client: Any = loop.actors[-1]
    loop.run(2_000)
    before, began_s = client.serial, time.process_time()
    while time.process_time() - began_s < RUN_S:
        loop.run(2_000)
    return float(client.serial - before) / (time.process_time() - began_s)


def sim_commits_s() -> float:
    """Commits a second of CPU in the simulator, with latency model, digest and journal."""
    loop = FastLoop(setup(WINDOW), Journal(None, host="bench", origin_ns=0), load.Nobody())
    for node in range(4):
        loop.start(node)
    loop.run_until(SECOND + SECOND // 10, lambda _: None)
    client: Any = loop.nodes[3].actor
    before, began_s = client.serial, time.process_time()
    while time.process_time() - began_s < RUN_S:
        loop.run_until(loop.now_ns + SECOND // 50, lambda _: None)
    return float(client.serial - before) / (time.process_time() - began_s)


def ray_commits_s() -> float:
    """Commits a second of wall time on Ray, from the leader's own word, after a warm-up."""
    from cluster.live.fabric import run

    total_ns = (WARM_UP_S + RAY_RUN_S) * SECOND
    plan = setup(RAY_WINDOW, parallel_write=True)
    plan = msgspec.structs.replace(plan, duration_ns=total_ns, inside_region_rtt_ns=0)
    with tempfile.TemporaryDirectory() as folder:
        run(plan, load.Nobody(), Path(folder), lambda _: None)
        entries = [
            entry
            for journal in sorted((Path(folder) / "journal").glob("*.msgpack"))
            for entry in read_journal(journal, LedAtOnce.events)
            if isinstance(entry.item, Committed) and WARM_UP_S * SECOND <= entry.time_ns < total_ns
        ]
    told = sorted((entry.time_ns, entry.item.index) for entry in entries if isinstance(entry.item, Committed))
    return (told[-1][1] - told[0][1]) * SECOND / (told[-1][0] - told[0][0])
