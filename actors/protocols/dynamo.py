"""A Dynamo-style store: every piece together, and the questions that span partitions.

Source: DeCandia and others, "Dynamo: Amazon's highly available key-value store", SOSP 2007. The pieces, each on top of
the one before: gossip, swim, phi_detector, dynamo_ring, dynamo_replica, dynamo_write, dynamo_read, hints, anti_entropy,
tombstones, ring_changes.
"""

from typing import ClassVar

import msgspec

from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import Answer, Configured, CountKeys, KeysCounted, Scan
from actors.protocols.dynamo_replica import live
from actors.protocols.dynamo_settings import DynamoSettings
from actors.protocols.ring_changes import RingChanges
from actors.state.consistency import requirements
from actors.state.ring import partition_of


class Counting(msgspec.Struct):
    """A scan whose shards have not all answered."""

    client: NodeId
    process: int
    serial: int
    shards: int
    waiting: list[NodeId]
    count: int = 0


class Dynamo(RingChanges):
    """One server."""

    volatile: ClassVar = {**RingChanges.volatile, "counting": dict[int, Counting]}

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.counting: dict[int, Counting] = {}

    def start(self) -> None:
        """See the pieces; the first server tells what the store promises."""
        super().start()
        if self.node.id == 0 and not self.node.incarnation:
            settings = self.settings
            owners = self.ring.owners(0)
            r, w = (
                sum(count for _, count in requirements(level, owners, self.node.regions, self.here))
                for level in (settings.r, settings.w)
            )
            self.node.emit(Configured(settings.n, r, w, settings.quorum == "strict"))

    # scans: one shard if keys are in order, all shards if they are hashed

    def on_scan(self, client: NodeId, scan: Scan) -> None:
        """Ask the first healthy owner of each partition that may hold keys of the range."""
        layout = self.layout
        partitions = range(layout.partitions)
        if layout.partitioner == "range":
            last = chr(max(ord(scan.last[0]) - 1, 0)) if len(scan.last) == 1 else scan.last
            partitions = range(partition_of(scan.first, layout), partition_of(last, layout) + 1)
        shards: dict[NodeId, list[int]] = {}
        for partition in partitions:
            owners = self.ring.owners(partition)
            shards.setdefault(next(filter(self.is_up, owners), owners[0]), []).append(partition)
        self.ops += 1
        self.counting[self.ops] = Counting(client, scan.process, scan.serial, len(shards), list(shards))
        for node, asked in shards.items():
            self.node.send(node, CountKeys(self.ops, tuple(asked), scan.first, scan.last))
        self.await_until(self.ops)

    def on_count_keys(self, asker: NodeId, ask: CountKeys) -> None:
        keys = (key for partition in ask.partitions for key in self.tree(partition))
        count = sum(ask.first <= key < ask.last and bool(live(self.clock_of(key))) for key in keys)
        self.node.send(asker, KeysCounted(ask.op, count))

    def on_keys_counted(self, shard: NodeId, answer: KeysCounted) -> None:
        """A shard has counted; the client gets (keys, shards asked) once all have."""
        op = self.counting.get(answer.op)
        if op is None or shard not in op.waiting:
            return
        op.waiting.remove(shard)
        op.count += answer.count
        if not op.waiting:
            del self.counting[answer.op]
            self.node.send(op.client, Answer(op.process, op.serial, None, (op.count, op.shards)))

    def expire(self, number: int) -> None:
        """See `Writes.expire`."""
        super().expire(number)
        op = self.counting.pop(number, None)
        if op is not None:
            self.node.send(op.client, Answer(op.process, op.serial, "read-timed-out"))

    def check(self) -> None:
        """What holds of one server at any time."""
        assert self.store.keys() == self.fingerprints.keys()
        assert sum(len(tree) for tree in self.trees.values()) == len(self.store), "every key is in its tree"
        assert all(op.silent for op in self.writing.values()), "a write that all have answered is forgotten"
        assert self.deadlines == sorted(self.deadlines)

    handlers: ClassVar = {
        **RingChanges.handlers,
        Scan: on_scan,
        CountKeys: on_count_keys,
        KeysCounted: on_keys_counted,
    }
    events: ClassVar[tuple[type[Event], ...]] = (*RingChanges.events, Configured)
