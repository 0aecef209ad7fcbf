"""Nodes that join, leave or replace one that is gone, while the store serves.

The one that changes its place says so by gossip (joining, leaving). When all must have heard, every node that gains
partitions by it fetches them, batch by batch: from the owner that loses the partition, which has seen whatever a quorum
with it has seen, or from all owners if nobody loses it or the loser is down. Writes go to the owners before and after
all the while (`dynamo_ring`). Once all gainers have said that they are done, the one that changes takes its new place,
and after a while the losers forget what isn't theirs.

Source: Dynamo §4.8-4.9; Cassandra's pending ranges and consistent range movement.
"""

from hashlib import blake2b
from typing import ClassVar

from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import Background, Fetch, Fetched, Moved
from actors.protocols.dynamo_replica import encode
from actors.protocols.dynamo_ring import SETTLE
from actors.protocols.dynamo_settings import DynamoSettings
from actors.protocols.membership_gossip import JOINING, LEAVING, LEFT, NORMAL, OUT, Rumour
from actors.protocols.tombstones import Tombstones
from actors.settings import MS

FETCH_AGAIN_NS = 500 * MS  # a batch that did not come
CLEAN_EVERY_NS = 20 * MS


class RingChanges(Tombstones):
    """Joins, leaves, fetches, cleans up."""

    volatile: ClassVar = {
        **Tombstones.volatile,
        "change": int,
        "pulls": list[tuple[int, NodeId]],
        "pulled_upto": str,
        "moved": list[NodeId],
    }

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.change = 0  # the fingerprint of the members that a change leads to; 0: none is under way
        self.pulls: list[tuple[int, NodeId]] = []  # (partition, source) still to fetch, the first one now
        self.pulled_upto = ""  # the last key of it that came
        self.moved: list[NodeId] = []  # who has said that it holds all it gains

    def start(self) -> None:
        """Set the times at which this node joins or leaves, as the settings say."""
        super().start()
        settings, count = self.settings, len(self.node.peers)
        place = self.record_of(self.node.id).place
        spare = self.node.id - (count - settings.spares)
        if place == OUT and spare >= 0 and settings.join_after_ns:
            self.node.set_timer("join", settings.join_after_ns + spare * settings.join_every_ns)
        if place == NORMAL and self.node.id < settings.leavers and settings.leave_after_ns:
            self.node.set_timer("leave", settings.leave_after_ns)
        self.node.set_timer("clean", SETTLE * settings.ring_delay_ns)
        self.tell_owned()
        self.begin_change()

    def on_join(self) -> None:
        """Take a seat: this node's own, or that of the one it replaces."""
        first_spare = self.node.id == len(self.node.peers) - self.settings.spares
        seat = self.settings.replaces - 1 if first_spare and self.settings.replaces else self.node.id
        self.describe_self(place=JOINING, seat=seat)

    def on_leave(self) -> None:
        self.describe_self(place=LEAVING)

    def record_changed(self, former: Rumour, rumour: Rumour) -> None:
        """A change of place begins or ends a change of the ring."""
        super().record_changed(former, rumour)
        if former.place != rumour.place:
            self.begin_change()
            if rumour.place in (NORMAL, LEFT):
                self.tell_owned()

    def begin_change(self) -> None:
        """If a change is under way: fetch once all must have heard of it."""
        if self.next_ring is self.ring:
            self.change, self.pulls = 0, []
            return
        change = fingerprint_of_members(self.next_ring.members)
        if change != self.change:
            self.change, self.pulls, self.moved = change, [], []
            self.node.set_timer("change", self.settings.ring_delay_ns)

    def gains(self, node: NodeId) -> list[int]:
        """The partitions that a node owns after the change and not before."""
        before, after = self.ring, self.next_ring
        return [p for p in after.owned_by(node) if node not in before.owners(p)]

    def on_change(self) -> None:
        """Line up what to fetch, and from whom."""
        if not self.change:
            return
        self.pulls = [
            (partition, source) for partition in self.gains(self.node.id) for source in self.sources(partition)
        ]
        self.pulled_upto = ""
        self.on_fetch_again()
        self.complete_if_moved()

    def sources(self, partition: int) -> list[NodeId]:
        """The owner that loses a partition to this node; all owners if it can't be asked."""
        before, after = self.ring.owners(partition), self.next_ring.owners(partition)
        losers = [node for node in before if node not in after]
        gainers = [node for node in after if node not in before]
        place = gainers.index(self.node.id)
        if place < len(losers) and self.is_up(losers[place]):
            return [losers[place]]
        return [node for node in before if self.is_up(node) and node != self.node.id]

    def on_fetch_again(self) -> None:
        """Ask for the next batch, or say that all is here; again after a while, for either may get lost."""
        if not self.change:
            return
        while self.pulls and not self.is_up(self.pulls[0][1]):
            self.pulls.pop(0)
            self.pulled_upto = ""
        if self.pulls:
            partition, source = self.pulls[0]
            self.node.send(source, Fetch(partition, self.pulled_upto))
        elif self.gains(self.node.id):
            for node in self.node.peers:
                if self.record_of(node).place in (JOINING, LEAVING):
                    self.node.send(node, Moved(self.change))
        self.node.set_timer("fetch_again", FETCH_AGAIN_NS)

    def on_fetch(self, gainer: NodeId, fetch: Fetch) -> None:
        """Send the next batch of a partition, in order of keys."""
        behind = sorted(key for key in self.tree(fetch.partition) if key > fetch.after)
        batch = behind[: self.settings.batch]
        answer = Fetched(fetch.partition, self.copies(batch), len(batch) == len(behind))
        self.node.send(gainer, answer)
        if batch:
            self.node.emit(Background("transfer", len(batch), len(encode(answer))))

    def on_fetched(self, source: NodeId, fetched: Fetched) -> None:
        """Merge a batch and go on."""
        if not self.pulls or self.pulls[0] != (fetched.partition, source):
            return
        if fetched.copies and fetched.copies[0][0] <= self.pulled_upto:
            return  # a batch that was asked for twice
        for key, clock in fetched.copies:
            self.merge(key, clock)
        if fetched.last:
            self.pulls.pop(0)
            self.pulled_upto = ""
        else:
            self.pulled_upto = fetched.copies[-1][0]
        self.on_fetch_again()

    def on_moved(self, gainer: NodeId, moved: Moved) -> None:
        if moved.change == self.change and gainer not in self.moved:
            self.moved.append(gainer)
            self.complete_if_moved()

    def complete_if_moved(self) -> None:
        """Take the new place once everybody who gains by the change holds its partitions."""
        place = self.record_of(self.node.id).place
        if not self.change or place not in (JOINING, LEAVING):
            return
        before, after = self.ring, self.next_ring
        gainers = {node for p in range(self.layout.partitions) for node in set(after.owners(p)) - set(before.owners(p))}
        if gainers <= set(self.moved):
            self.describe_self(place=NORMAL if place == JOINING else LEFT)

    # cleaning up

    def on_clean(self) -> None:
        """Forget a batch of keys of partitions that others own; look again later, for a late write may still come.

        Not before this node has heard from another, since its start, how the ring is now.
        """
        again_ns = SETTLE * self.settings.ring_delay_ns
        if self.exchanged:
            strange = self.strange_keys()
            for key in strange[: self.settings.batch]:
                self.forget(key)
            again_ns = CLEAN_EVERY_NS if len(strange) > self.settings.batch else again_ns
        self.node.set_timer("clean", again_ns)

    def strange_keys(self) -> list[str]:
        """The keys held of partitions that this node doesn't own by any ring."""
        held = sorted(partition for partition, tree in self.trees.items() if len(tree))
        return [key for partition in held if not self.keeps(partition) for key in sorted(self.trees[partition])]

    handlers: ClassVar = {**Tombstones.handlers, Fetch: on_fetch, Fetched: on_fetched, Moved: on_moved}
    timers: ClassVar = {
        **Tombstones.timers,
        "join": on_join,
        "leave": on_leave,
        "change": on_change,
        "fetch_again": on_fetch_again,
        "clean": on_clean,
    }
    events: ClassVar[tuple[type[Event], ...]] = Tombstones.events


def fingerprint_of_members(members: tuple[object, ...]) -> int:
    """One number for a set of members, the same on all nodes."""
    return int.from_bytes(blake2b(encode(members), digest_size=8).digest(), "big") >> 1 or 1
