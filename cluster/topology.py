"""Who is there and where: servers first, then client nodes, each in a region."""

from collections.abc import Iterable, Sequence

import msgspec

from actors.message import NodeId


class Topology(msgspec.Struct, frozen=True):
    """All nodes of a run. Ids are positions in `regions`: the servers come first, the client nodes follow."""

    regions: tuple[str, ...]
    server_count: int

    @property
    def servers(self) -> range:
        return range(self.server_count)

    @property
    def clients(self) -> range:
        return range(self.server_count, len(self.regions))

    def name(self, node: NodeId) -> str:
        """n1.. for servers, c1.. for client nodes."""
        return f"n{node + 1}" if node < self.server_count else f"c{node - self.server_count + 1}"

    def names(self, nodes: Iterable[NodeId]) -> str:
        """Several names as one text, "nobody" if there are none."""
        return ",".join(self.name(node) for node in sorted(nodes)) or "nobody"

    def servers_in(self, region: str) -> tuple[NodeId, ...]:
        return tuple(node for node in self.servers if self.regions[node] == region)

    def with_clients(self, side: Sequence[NodeId], other: Sequence[NodeId]) -> tuple[NodeId, ...]:
        """A side of a split with the client nodes that belong to it.

        A client belongs to the side that holds more of its region's servers; to the first of two equal ones.
        """
        joined = tuple(client for client in self.clients if self._weight(client, side) > self._weight(client, other))
        return (*side, *joined)

    def _weight(self, client: NodeId, side: Sequence[NodeId]) -> tuple[int, bool]:
        near = sum(self.regions[node] == self.regions[client] for node in side)
        return near, min(side, default=len(self.regions)) == 0
