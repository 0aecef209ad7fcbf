"""`splitbrain bench ray`: the Ray fabric's speed on 3 nodes without injected latency, beside a bare pyzmq pair.

Commits are those of the whole way: client, leader, majority and back, with fdatasync on every node unless the name ends
in `_no_fsync`. Delay errors are of messages that a link holds for 20 ms, at 1,000 and 5,000 messages a second.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from actors.protocols.raft_messages import RaftSettings
from actors.settings import SECOND
from benchmarks import bare_zmq, delays, load
from cluster.fabric import ActorSpec, Director, DiskModel, FabricResult, Setup
from cluster.journal import Entry, NodeStarted, read_journal
from cluster.latency import load_profile
from experiments.percentiles import percentile, sorted_ns

RUN_S = 4
WARM_UP_NS = 2 * SECOND
RING_TOKENS = 64
PAIRS = 3
MANY_NODES = 1000


def figures(progress: Callable[[str], None], *, peers: bool = False) -> dict[str, float]:
    """Commit latency and throughput, delay precision, start-up, and messages as a share of a bare pair of sockets.

    Args:
        peers: measure PySyncObj in the same run; it comes with the `bench` extra.
    """
    from cluster.live.cluster_start import ray_cluster

    found: dict[str, float] = {}
    progress("starting Ray")
    with ray_cluster(None):
        progress("a lone commit")
        found["commit_p50_ms"] = commit_p50_ms(real_fsync=True)
        found["commit_p50_ms_no_fsync"] = commit_p50_ms(real_fsync=False)
        for window in (64, 512):
            progress(f"{window} commits in flight")
            found[f"commits_s_{window}"] = commits_s(window, real_fsync=True)
        found["commits_s_512_no_fsync"] = commits_s(512, real_fsync=False)
        if peers:
            found.update(_beside_pysyncobj(progress, found))
        progress("messages that are held until their time")
        found.update(delay_errors_ms())
        pairs = []
        for number in range(PAIRS):
            progress(f"messages beside a bare pair {number + 1}/{PAIRS}")
            pairs.append((ring_messages_s(), bare_zmq.messages_s(RING_TOKENS, RUN_S)))
        progress(f"{MANY_NODES:,} nodes")
        found.update(many_nodes())
    found["messages_s"] = median(ours for ours, _ in pairs)
    found["bare_zmq_messages_s"] = median(bare for _, bare in pairs)
    found["messages_ratio_to_bare_zmq"] = median(ours / bare for ours, bare in pairs)
    return found


def commit_p50_ms(*, real_fsync: bool) -> float:
    """The median time of a lone write, from the client's sending to the answer's handling."""
    return median(answered.took_ns for _, answered in _answers(1, real_fsync=real_fsync)) / 1e6


def commits_s(window: int, *, real_fsync: bool) -> float:
    """Answers a second to a client that keeps so many writes open."""
    told = _answers(window, real_fsync=real_fsync)
    (begin_ns, first), (end_ns, last) = told[0], told[-1]
    return (last.answers - first.answers) * SECOND / (end_ns - begin_ns)


def _answers(window: int, *, real_fsync: bool) -> list[tuple[int, load.Answered]]:
    """What the client told after warm-up, and when."""
    settings = RaftSettings(election_timeout_ns=(SECOND, 2 * SECOND), batch=1024, parallel_write=True)
    client = ActorSpec(load.Window, load.WindowSettings(window=window))
    setup = load.setup(
        "bench-commit",
        ((ActorSpec(load.FirstLeads, settings),) * 3) + (client,),
        servers=3,
        inside_region_rtt_ns=0,
        disk=DiskModel(fsync_ns=0, real=real_fsync),
        duration_ns=WARM_UP_NS + RUN_S * SECOND,
    )
    _, entries = _run(setup, load.Nobody())
    return [(e.time_ns, e.item) for e in entries if isinstance(e.item, load.Answered) and e.time_ns >= WARM_UP_NS]


def _beside_pysyncobj(progress: Callable[[str], None], ours: dict[str, float]) -> dict[str, float]:
    """Ratios to PySyncObj's best, of its defaults and the settings that made it fastest: above 1 is in our favour.

    With the same durability on both sides: a log in a file, without fdatasync, which PySyncObj does not offer.
    """
    from benchmarks import pysyncobj_raft as peer

    found = {}
    for name, lone, pipelined in (("", peer.BEST, peer.BEST_PIPELINED), ("_defaults", {}, {})):
        progress(f"PySyncObj{name.replace('_', ' at its ')}")
        found[f"pysyncobj_commit_p50_ms_no_fsync{name}"] = peer.commit_p50_ms(lone, seconds=RUN_S)
        found[f"pysyncobj_commits_s_512_no_fsync{name}"] = peer.commits_s(pipelined, seconds=RUN_S, window=512)
    lone_ms = min(value for name, value in found.items() if "_p50_ms" in name)
    most_s = max(value for name, value in found.items() if "_512" in name)
    found["commit_ratio_to_pysyncobj"] = lone_ms / ours["commit_p50_ms_no_fsync"]
    found["pipelined_ratio_to_pysyncobj"] = ours["commits_s_512_no_fsync"] / most_s
    return found


def delay_errors_ms() -> dict[str, float]:
    """By how much messages and timers are handled after their time, in ms."""
    setup = delays.speakers(0, 1000, 5000, duration_ns=RUN_S * SECOND)
    trip_ns = median(load_profile("loopback").trip("loopback", "loopback").table()) + delays.HELD_NS
    _, told = _run(setup, delays.Holding())
    late = [(e.node, e.item.after_ns) for e in told if isinstance(e.item, delays.Late) and e.time_ns > SECOND]
    found = {}
    for name, node, due_ns in (("timer", 0, delays.TICK_NS), ("delay", 2, trip_ns), ("delay_5000", 4, trip_ns)):
        errors_ns = sorted_ns(max(0, int(after_ns - due_ns)) for at, after_ns in late if at == node)
        label = name.removesuffix("_5000") + "_error"
        suffix = "_5000" if name.endswith("_5000") else ""
        for share in (50, 99):
            found[f"{label}_p{share}_ms{suffix}"] = (percentile(errors_ns, share * 10) or 0) / 1e6
    return found


def many_nodes() -> dict[str, float]:
    """How long it takes until a cluster of many nodes runs, processes and all, in 8 hosts, and their memory."""
    actors = (ActorSpec(load.Ring, load.RingSettings(tokens=0)),) * MANY_NODES
    setup = load.setup("bench-nodes", actors, servers=MANY_NODES, duration_ns=SECOND, density=MANY_NODES // 8)
    result, entries = _run(setup, load.Nobody())
    started = sum(isinstance(e.item, NodeStarted) for e in entries)
    return {"nodes": started, "nodes_start_s": result.start_s or 0.0, "nodes_memory_mb": result.memory_mb or 0.0}


def ring_messages_s() -> float:
    """Messages that two nodes on two hosts pass to and fro a second."""
    setup = load.setup(
        "bench-ring",
        (ActorSpec(load.Ring, load.RingSettings(tokens=RING_TOKENS // 2)),) * 2,
        servers=2,
        inside_region_rtt_ns=0,
        duration_ns=RUN_S * SECOND,
    )
    result, _ = _run(setup, load.Nobody())
    return result.messages / RUN_S


def _run(setup: Setup, director: Director) -> tuple[FabricResult, list[Entry]]:
    from cluster.live.fabric import run

    events = tuple(dict.fromkeys(event for spec in setup.actors for event in spec.kind.events))
    with tempfile.TemporaryDirectory() as folder:
        result = run(setup, director, Path(folder), lambda _: None)
        journals = sorted((Path(folder) / "journal").glob("*.msgpack"))
        entries = [entry for journal in journals for entry in read_journal(journal, events)]
    return result, sorted(entries, key=lambda entry: entry.time_ns)
