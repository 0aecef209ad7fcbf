"""`splitbrain bench ray`: the Ray fabric's speed on 3 nodes without injected latency, beside a bare pyzmq pair.

Commits are those of the whole way: client, leader, majority and back, with fdatasync on every node unless the name ends
in `_no_fsync`.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from actors.client import Client, ClientSettings
from actors.history import Invoke, Return, operations
from actors.protocols.raft_messages import RaftSettings
from actors.settings import SECOND
from benchmarks import bare_zmq, load
from cluster.fabric import ActorSpec, DiskModel, Setup
from cluster.journal import Entry, Traffic, read_journal
from experiments.workloads.register import Register

RUN_S = 4
WARM_UP_NS = 2 * SECOND
RING_TOKENS = 64
PAIRS = 3


def figures(progress: Callable[[str], None]) -> dict[str, float]:
    """Commit latency and throughput, and messages a second as a share of a bare pair of sockets."""
    from cluster.live.cluster_start import ray_cluster

    found: dict[str, float] = {}
    progress("starting Ray")
    with ray_cluster(None):
        progress("a lone commit")
        found["commit_p50_ms"] = commit_p50_ms(real_fsync=True)
        found["commit_p50_ms_no_fsync"] = commit_p50_ms(real_fsync=False)
        for clients in (64, 512):
            progress(f"{clients} commits in flight")
            found[f"commits_s_{clients}"] = len(latencies_ms(clients, real_fsync=True)) / RUN_S
        pairs = []
        for number in range(PAIRS):
            progress(f"messages beside a bare pair {number + 1}/{PAIRS}")
            pairs.append((ring_messages_s(), bare_zmq.messages_s(RING_TOKENS, RUN_S)))
    found["messages_s"] = median(ours for ours, _ in pairs)
    found["bare_zmq_messages_s"] = median(bare for _, bare in pairs)
    found["messages_ratio_to_bare_zmq"] = median(ours / bare for ours, bare in pairs)
    return found


def commit_p50_ms(*, real_fsync: bool) -> float:
    """The median time from a write's invoke to its ok with one client."""
    return median(latencies_ms(1, real_fsync=real_fsync))


def latencies_ms(clients: int, *, real_fsync: bool) -> list[float]:
    """The times of all writes of a closed loop after warm-up."""
    workload = Register(clients=clients, keys=64, mix={"write": 1.0})
    client = ClientSettings(
        name="register",
        workload=workload,
        processes=tuple(range(clients)),
        first_fresh=clients,
        pool=0,
        pools=1,
        stop_after_ns=WARM_UP_NS + RUN_S * SECOND,
    )
    settings = RaftSettings(election_timeout_ns=(SECOND, 2 * SECOND), batch=1024)
    actors = (ActorSpec(load.FirstLeads, settings),) * 3 + (ActorSpec(Client, client),)
    entries = _run(
        load.setup(
            "bench-commit",
            actors,
            servers=3,
            inside_region_rtt_ns=0,
            disk=DiskModel(fsync_ns=0, real=real_fsync),
            duration_ns=WARM_UP_NS + RUN_S * SECOND,
        )
    )
    told = [(e.time_ns, e.node, e.item) for e in entries if isinstance(e.item, Invoke | Return)]
    return [
        (operation.return_ns - operation.invoke_ns) / 1e6
        for operation in operations(told)
        if operation.outcome == "ok" and operation.invoke_ns >= WARM_UP_NS and operation.return_ns is not None
    ]


def ring_messages_s() -> float:
    """Messages that two nodes on two hosts pass to and fro a second."""
    setup = load.setup(
        "bench-ring",
        (ActorSpec(load.Ring, load.RingSettings(tokens=RING_TOKENS // 2)),) * 2,
        servers=2,
        inside_region_rtt_ns=0,
        duration_ns=RUN_S * SECOND,
    )
    return sum(entry.item.delivered for entry in _run(setup) if isinstance(entry.item, Traffic)) / RUN_S


def _run(setup: Setup) -> list[Entry]:
    from cluster.live.fabric import run

    events = tuple(dict.fromkeys(event for spec in setup.actors for event in spec.kind.events))
    with tempfile.TemporaryDirectory() as folder:
        run(setup, load.Nobody(), Path(folder), lambda _: None)
        journals = sorted((Path(folder) / "journal").glob("*.msgpack"))
        entries = [entry for journal in journals for entry in read_journal(journal, events)]
    return sorted(entries, key=lambda entry: entry.time_ns)
