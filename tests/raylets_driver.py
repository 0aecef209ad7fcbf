"""A driver on a Ray cluster of three raylets on this machine, each of which offers a region; one is killed mid-run.

Usage: raylets_driver.py FOLDER HOST_LOSS apart|together. Prints what became of the run as one JSON line.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
from fabric_runs import entries_of
from ray.cluster_utils import Cluster
from scenario import RAFT, Script, client_pool, small_setup

from actors.protocols.raft import Raft
from actors.settings import MS, SECOND
from cluster.fabric import ActorSpec, FabricError, Progress, Setup
from cluster.journal import HostClock, NodeStarted, NodeStopped
from cluster.live.fabric import run
from experiments.workloads.append import Append

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
KILLED = "ap-southeast-1"
KILL_AFTER_NS = SECOND


def setup(host_loss: Any) -> Setup:
    """A Raft over three regions, its clients in the first."""
    settings = msgspec.structs.replace(RAFT, election_timeout_ns=(800 * MS, 1200 * MS))
    made = small_setup(
        [ActorSpec(Raft, settings)] * 3,
        [client_pool(Append(clients=4, keys=2, timeout_ns=SECOND), stop_after_ns=9 * SECOND)],
        regions=(*REGIONS, "us-east-1"),
        duration_ns=9 * SECOND,
        drain_ns=SECOND,
        name="raylets",
    )
    return msgspec.structs.replace(made, host_loss=host_loss)


def main() -> None:
    folder, host_loss, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "resources": {"region_us-east-1": 9}})
    raylets = {region: cluster.add_node(num_cpus=1, resources={f"region_{region}": 9}) for region in REGIONS[1:]}
    doomed, ended = raylets[KILLED], threading.Event()

    def watch(progress: Progress) -> None:
        if progress.now_ns > KILL_AFTER_NS and not ended.is_set():
            ended.set()
            threading.Thread(target=cluster.remove_node, args=(doomed,), kwargs={"allow_graceful": False}).start()

    what = setup(host_loss)
    said: dict[str, Any] = {"failure": None, "notes": [], "killed_after_s": None}
    began_s = time.monotonic()
    try:
        result = run(what, Script(), folder, watch, address=cluster.address, apart=how == "apart")
        said["notes"] = result.notes
    except FabricError as error:
        said["failure"] = str(error)
    said["took_s"] = time.monotonic() - began_s
    entries = entries_of(what, folder)
    said["stopped"] = [entry.node for entry in entries if isinstance(entry.item, NodeStopped)]
    said["starts"] = [
        [entry.item.incarnation for entry in entries if isinstance(entry.item, NodeStarted) and entry.node == node]
        for node in range(4)
    ]
    said["clocks"] = {
        clock.host: clock.bound_ns for clock in (entry.item for entry in entries) if isinstance(clock, HostClock)
    }
    said["last_ns"] = [max((e.time_ns for e in entries if e.node == node), default=0) for node in range(4)]
    said["journals"] = sorted(path.name for path in (folder / "journal").iterdir())
    print(json.dumps(said), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
