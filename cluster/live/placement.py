"""Which nodes live in which host: servers one each or packed by `density`, all clients on a host without servers."""

from actors.message import NodeId
from cluster.fabric import Setup

CLIENT_HOST = "clients"


def place(setup: Setup) -> dict[str, tuple[NodeId, ...]]:
    """Host name -> its nodes. A host with one server is called as that server is."""
    topology = setup.topology
    servers = tuple(topology.servers)
    hosts: dict[str, tuple[NodeId, ...]] = {}
    for at in range(0, len(servers), setup.density):
        nodes = servers[at : at + setup.density]
        name = topology.name(nodes[0])
        hosts[name if len(nodes) == 1 else f"{name}-{topology.name(nodes[-1])}"] = nodes
    if topology.clients:
        hosts[CLIENT_HOST] = tuple(topology.clients)
    return hosts
