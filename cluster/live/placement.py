"""Which nodes live in which host, and where in the Ray cluster the hosts go.

Servers one each or packed by `density`, nodes of different regions never in one host; clients on hosts without servers.
"""

from itertools import groupby
from typing import Any, NamedTuple

from actors.message import NodeId
from cluster.fabric import Setup
from cluster.live.socket import LOOPBACK
from cluster.topology import Topology

CLIENT_HOST = "clients"


class Place(NamedTuple):
    """One host: its nodes, and what Ray is asked for it."""

    nodes: tuple[NodeId, ...]
    options: dict[str, Any]  # of the Ray actor


class Ground(NamedTuple):
    """Where a run's hosts go."""

    places: dict[str, Place]  # by host
    ip: str  # what a host's sockets bind to
    notes: tuple[str, ...] = ()


def on_this_machine(setup: Setup) -> Ground:
    """All hosts here, all sockets on the loopback."""
    return Ground({name: Place(nodes, {}) for name, nodes in pack_hosts(setup).items()}, LOOPBACK)


def pack_hosts(setup: Setup) -> dict[str, tuple[NodeId, ...]]:
    """Host name -> its nodes. A host with one server is called as that server is."""
    topology = setup.topology
    hosts: dict[str, tuple[NodeId, ...]] = {}
    for _, group in groupby(topology.servers, key=lambda node: topology.regions[node]):
        servers = tuple(group)
        for at in range(0, len(servers), setup.density):
            nodes = servers[at : at + setup.density]
            hosts[host_name(topology, nodes)] = nodes
    if topology.clients:
        hosts[CLIENT_HOST] = tuple(topology.clients)
    return hosts


def host_name(topology: Topology, nodes: tuple[NodeId, ...]) -> str:
    """n1 for one server, n1-n9 for several."""
    first, last = topology.name(nodes[0]), topology.name(nodes[-1])
    return first if len(nodes) == 1 else f"{first}-{last}"
