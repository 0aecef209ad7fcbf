"""`splitbrain bench dynamo`: a Dynamo-style store of 3 replicas under a closed loop of gets and puts, on both fabrics.

Whole operations are counted, from client to quorum and back, with every copy saved (and synced by fdatasync on Ray)
before it is acknowledged. Bytes are those of the Ray fabric's frames, background work included.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from actors.client import ClientSettings
from actors.context_client import ContextClient
from actors.history import Return
from actors.protocols.dynamo import Dynamo
from actors.protocols.dynamo_settings import DynamoSettings
from actors.settings import SECOND
from benchmarks import load
from cluster.fabric import ActorSpec, DiskModel, Setup
from cluster.journal import Journal, Traffic, read_journal
from cluster.sim.fast_loop import FastLoop
from experiments.workloads.siblings import Siblings

CLIENTS = 64
KEYS = 1000
RUN_S = 4
ROUNDS = 3
SIMULATED_NS = SECOND // 10


def figures(progress: Callable[[str], None]) -> dict[str, float]:
    """Operations a second of real time on each fabric, and the bytes that one costs."""
    from cluster.live.cluster_start import ray_cluster

    simulated = []
    for number in range(ROUNDS):
        progress(f"simulator {number + 1}/{ROUNDS}")
        simulated.append(sim_ops_s())
    live = []
    progress("starting Ray")
    with ray_cluster(None):
        for number in range(ROUNDS):
            progress(f"Ray {number + 1}/{ROUNDS}")
            live.append(ray_ops_s_and_bytes())
    return {
        "ops_s_sim": median(simulated),
        "ops_s_ray": median(ops for ops, _ in live),
        "bytes_op": median(size for _, size in live),
    }


def store(duration_ns: int, **changes: object) -> Setup:
    """Three servers and one pool of clients."""
    workload = Siblings(clients=CLIENTS, keys=KEYS)
    client = ClientSettings(
        name="siblings",
        workload=workload,
        processes=tuple(range(CLIENTS)),
        first_fresh=CLIENTS,
        pool=0,
        pools=1,
        stop_after_ns=duration_ns,
    )
    actors = (ActorSpec(Dynamo, DynamoSettings()),) * 3 + (ActorSpec(ContextClient, client),)
    return load.setup("bench-dynamo", actors, servers=3, duration_ns=duration_ns, **changes)


def sim_ops_s() -> float:
    """Operations that the simulator carries out in a second of real time."""
    journal = Journal(None, host="bench", origin_ns=0)
    loop = FastLoop(store(SIMULATED_NS), journal, load.Nobody())
    for node in range(4):
        loop.start(node)
    began_s = time.perf_counter()
    loop.run_until(SIMULATED_NS, lambda _: None)
    took_s = time.perf_counter() - began_s
    journal.flush()
    return sum(isinstance(entry.item, Return) for entry in journal.entries) / took_s


def ray_ops_s_and_bytes() -> tuple[float, float]:
    """Operations a second on the Ray fabric without injected latency, and the bytes of each."""
    from cluster.live.fabric import run

    setup = store(RUN_S * SECOND, inside_region_rtt_ns=0, disk=DiskModel(fsync_ns=0))
    events = tuple(dict.fromkeys(event for spec in setup.actors for event in spec.kind.events))
    with tempfile.TemporaryDirectory() as folder:
        run(setup, load.Nobody(), Path(folder), lambda _: None)
        journals = sorted((Path(folder) / "journal").glob("*.msgpack"))
        entries = [entry for journal in journals for entry in read_journal(journal, events)]
    done = sum(isinstance(entry.item, Return) for entry in entries)
    sent = sum(entry.item.bytes for entry in entries if isinstance(entry.item, Traffic))
    return done / RUN_S, sent / max(1, done)
