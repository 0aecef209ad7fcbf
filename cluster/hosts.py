"""Which nodes share a host: servers by `density` and region, clients on hosts without servers.

On Ray a host is a process. The simulator has none, but a fault that takes a host down hits the same nodes there.
"""

from itertools import groupby

from actors.message import NodeId
from cluster.topology import Topology

CLIENT_HOST = "clients"


def pack_hosts(topology: Topology, density: int, *, by_region: bool = False) -> dict[str, tuple[NodeId, ...]]:
    """Host name -> its nodes. A host of one server is called as that server is; clients share one, or one a region."""
    hosts: dict[str, tuple[NodeId, ...]] = {}
    for servers in _by_region(topology, topology.servers).values():
        for at in range(0, len(servers), density):
            nodes = servers[at : at + density]
            hosts[host_name(topology, nodes)] = nodes
    if by_region:
        for region, clients in _by_region(topology, topology.clients).items():
            hosts[f"{CLIENT_HOST}-{region}"] = clients
    elif topology.clients:
        hosts[CLIENT_HOST] = tuple(topology.clients)
    return hosts


def _by_region(topology: Topology, nodes: range) -> dict[str, tuple[NodeId, ...]]:
    ordered = sorted(nodes, key=lambda node: topology.regions[node])
    return {region: tuple(group) for region, group in groupby(ordered, key=lambda node: topology.regions[node])}


def host_name(topology: Topology, nodes: tuple[NodeId, ...]) -> str:
    """n1 for one server, n1-n9 for several."""
    first, last = topology.name(nodes[0]), topology.name(nodes[-1])
    return first if len(nodes) == 1 else f"{first}-{last}"
