"""A node's view of the ring: who owns what now, who will, who did.

While members join or leave, and for a while after it, there are two rings: writes go to the owners by both and need
a quorum of each, reads go to the owners by the present one. So every read quorum meets every write quorum, whichever
ring its coordinator believes in, as long as views are no further apart than one change.
"""

from functools import lru_cache
from typing import ClassVar, TypeAlias

from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import Owned
from actors.protocols.dynamo_settings import DynamoSettings
from actors.protocols.membership_gossip import JOINING, LEAVING, NORMAL, OUT, Rumour
from actors.protocols.phi_detector import PhiDetector
from actors.state.ring import Member, Ring, partition_of, ring_of

SETTLE = 2  # times ring_delay: how long the former owners still get writes


Move: TypeAlias = tuple[NodeId, int, int]
"""(node, place, seat) of a node that is not where it was in the beginning."""


@lru_cache(maxsize=64)
def members_of(
    regions: tuple[str, ...], founders: int, racks: int, places: tuple[int, ...], moves: tuple[Move, ...]
) -> tuple[Member, ...]:
    """The nodes that stand so, given who has moved; whoever was replaced has lost its seat to a later comer.

    Pure, and kept: a thousand nodes that see the same moves work it out once.
    """
    moved = {node: (place, seat) for node, place, seat in moves}
    found: dict[int, Member] = {}
    for node, region in enumerate(regions):
        place, seat = moved.get(node, (NORMAL if node < founders else OUT, -1))
        if place in places and (seat >= 0 or node not in found):
            mine = node if seat < 0 else seat
            found[mine] = Member(node, mine, region, f"rack{node % racks}")
    return tuple(sorted(found.values()))


class RingView(PhiDetector):
    """Rings by the records of the members."""

    settings: DynamoSettings
    settings_type: ClassVar = DynamoSettings
    volatile: ClassVar = {**PhiDetector.volatile, "former": tuple[Member, ...], "former_until_ns": int}

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.layout = settings.layout()
        regions = node.regions
        self.here = regions[node.id]
        self.former: tuple[Member, ...] = ()
        self.former_until_ns = 0
        self.rings_changed()

    def start(self) -> None:
        super().start()
        self.rings_changed()

    def initial(self, node: NodeId) -> Rumour:
        """Spares stand outside at first."""
        spare = node >= len(self.node.peers) - self.settings.spares
        return Rumour(node, place=OUT if spare else NORMAL)

    def record_changed(self, former: Rumour, rumour: Rumour) -> None:
        """A change of place changes the rings."""
        super().record_changed(former, rumour)
        if (former.place, former.seat) != (rumour.place, rumour.seat):
            before = self.ring.members
            self.rings_changed()
            if self.ring.members != before:
                self.former = before
                self.former_until_ns = self.node.monotonic_ns() + SETTLE * self.settings.ring_delay_ns
                self.node.set_timer("settled", SETTLE * self.settings.ring_delay_ns)

    def rings_changed(self) -> None:
        """Work out the present ring and the one that joins and leaves lead to."""
        moved = [record for record in self.records.values() if record.place != self.initial(record.node).place]
        moves = tuple(sorted((record.node, record.place, record.seat) for record in moved))
        self.ring = self.ring_with((NORMAL, LEAVING), moves)
        self.next_ring = self.ring_with((NORMAL, JOINING), moves)

    def ring_with(self, places: tuple[int, ...], moves: tuple[Move, ...]) -> Ring:
        """The ring of all nodes that stand so; of this node alone if there are none."""
        settings, node = self.settings, self.node
        founders = len(node.peers) - settings.spares
        members = members_of(tuple(node.regions[: len(node.peers)]), founders, settings.racks, places, moves)
        return ring_of(members or (Member(node.id, node.id, self.here, ""),), self.layout)

    def on_settled(self) -> None:
        """The former owners have had their time."""
        if self.node.monotonic_ns() >= self.former_until_ns:
            self.former = ()

    def partition(self, key: str) -> int:
        return partition_of(key, self.layout)

    def write_rings(self) -> tuple[Ring, ...]:
        """All rings by which a write needs its quorum."""
        rings = [self.ring]
        if self.next_ring is not self.ring:
            rings.append(self.next_ring)
        if self.former:
            rings.append(ring_of(self.former, self.layout))
        return tuple(rings)

    def keeps(self, partition: int) -> bool:
        """Whether this node takes writes of a partition, by any of the rings."""
        return any(self.node.id in ring.owners(partition) for ring in self.write_rings())

    def tell_owned(self) -> None:
        self.node.emit(Owned(len(self.ring.members), len(self.ring.owned_by(self.node.id))))

    timers: ClassVar = {**PhiDetector.timers, "settled": on_settled}
    events: ClassVar[tuple[type[Event], ...]] = (*PhiDetector.events, Owned)
