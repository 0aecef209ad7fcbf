"""What a run on Ray will take of this machine's memory, estimated before it starts."""

from math import ceil
from pathlib import Path

from cluster.fabric import FabricError, Setup
from cluster.hosts import pack_hosts

PROCESS_MB = 85.0  # a Ray actor's process with our code in it, as measured
NODE_MB = 0.05  # a node with its links to its neighbours and a short log
RAY_MB = 400.0  # Ray's own processes, the conductor and the object store
SHARE = 0.9  # of the free memory that a run may take


def estimate_mb(setup: Setup) -> float:
    """The memory that a run takes on this machine, about."""
    return RAY_MB + PROCESS_MB * len(pack_hosts(setup.topology, setup.density)) + NODE_MB * len(setup.actors)


def refuse_too_large(setup: Setup, free_mb: float | None = None) -> None:
    """Raise FabricError if a run won't fit into this machine's memory; it names the density that would."""
    free_mb = _free_mb() if free_mb is None else free_mb
    wanted_mb = estimate_mb(setup)
    if free_mb is None or wanted_mb <= SHARE * free_mb:
        return
    servers = setup.topology.server_count
    said = (
        f"{servers} nodes at {setup.density} a process need about {wanted_mb / 1000:.1f} GB, "
        f"and {free_mb / 1000:.1f} GB are free here"
    )
    processes = int((SHARE * free_mb - RAY_MB - NODE_MB * len(setup.actors)) / PROCESS_MB) - 1  # one for the clients
    processes -= len(set(setup.topology.regions)) - 1  # a process holds nodes of one region only
    if processes < 1:
        raise FabricError(f"{said}: use fewer nodes, or --fabric sim")
    raise FabricError(f"{said}: with `density: {ceil(servers / processes)}` under `cluster:` it would fit")


def _free_mb() -> float | None:
    """What this machine has left; None where the system does not tell."""
    told = Path("/proc/meminfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("MemAvailable:")), None)
