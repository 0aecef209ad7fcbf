"""Which nodes live in which host, and where in the Ray cluster the hosts go.

Servers one each or packed by `density`, nodes of different regions never in one host; clients on hosts without servers.
A region goes to the Ray nodes that offer the resource `region_<name>`; where none does, its hosts go wherever there is
room, and the run's notes say so.
"""

from typing import Any, NamedTuple

import ray

from actors.message import NodeId
from cluster.fabric import Setup
from cluster.hosts import pack_hosts
from cluster.live.socket import LOOPBACK

A_LITTLE = 0.001  # of a region's resource: it says where, not how much


class Place(NamedTuple):
    """One host: its nodes, and what Ray is asked for it."""

    nodes: tuple[NodeId, ...]
    resources: dict[str, float]


class Ground(NamedTuple):
    """Where a run's hosts go."""

    places: dict[str, Place]  # by host
    ip: str | None  # what all sockets bind to; None: each its machine's own
    notes: tuple[str, ...] = ()


def survey(setup: Setup) -> Ground:
    """Find the ground for a setup in the Ray cluster that this process belongs to."""
    machines = [node for node in ray.nodes() if node["Alive"]]
    alone = len({node["NodeManagerAddress"] for node in machines}) == 1
    offered = {name for node in machines for name in node["Resources"] if name.startswith("region_")}
    return lay_out(setup, offered, ray_nodes=len(machines), alone=alone)


def lay_out(setup: Setup, offered: set[str], *, ray_nodes: int, alone: bool) -> Ground:
    """The ground, from what the cluster offers.

    Args:
        offered: the region resources of its nodes.
        alone: whether all of them are one machine; then nothing listens but on the loopback.
    """
    regions = setup.topology.regions
    places = {}
    for name, nodes in pack_hosts(setup.topology, setup.density, by_region=bool(offered)).items():
        wanted = f"region_{regions[nodes[0]]}"
        places[name] = Place(nodes, {wanted: A_LITTLE} if wanted in offered else {})
    missing = [region for region in dict.fromkeys(regions) if f"region_{region}" not in offered]
    notes: tuple[str, ...] = ()
    if ray_nodes > 1 and missing:
        where = f"no Ray node offers {', '.join(f'region_{region}' for region in missing)}"
        notes = (f"{where}: those regions' nodes were packed wherever there was room",)
    return Ground(places, LOOPBACK if alone else None, notes)


def options_of(place: Place) -> dict[str, Any]:
    """What a host's Ray actor is started with."""
    return {"resources": place.resources} if place.resources else {}
