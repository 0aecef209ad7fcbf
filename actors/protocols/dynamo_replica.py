"""A replica: what it holds of each key, on disk, in memory and in its partitions' Merkle trees.

A key's record is saved in the handler that changes it; the node's barrier keeps the answer back until it is durable.
"""

from hashlib import blake2b
from typing import ClassVar

import msgspec

from actors.clocks import MECHANISMS, Clock
from actors.clocks.content import Content
from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import Held, Record, ReplicaWrote, WriteReplica
from actors.protocols.dynamo_ring import RingView
from actors.protocols.dynamo_settings import DynamoSettings
from actors.state.merkle import Merkle

KEY = "key "  # what precedes a key among the facts on disk
EPOCH_BITS = 31
NODE_BITS = 16

encode = msgspec.msgpack.Encoder().encode


def fingerprint(clock: Clock | None) -> int:
    """A hash of all that a clock holds; 0 for nothing. Replicas that hold the same have the same."""
    if clock is None:
        return 0
    return int.from_bytes(blake2b(encode(clock), digest_size=8).digest(), "big") >> 1 or 1


def live(clock: Clock | None) -> tuple[Content, ...]:
    """The siblings that are no tombstones."""
    return tuple(content for content in clock.siblings if not content.is_tombstone) if clock is not None else ()


class Replica(RingView):
    """The store of one node."""

    volatile: ClassVar = {**RingView.volatile, "store": dict[str, Record]}

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.mechanism = MECHANISMS[settings.conflicts]
        self.store: dict[str, Record] = {}
        self.fingerprints: dict[str, int] = {}
        self.trees: dict[int, Merkle] = {}

    def start(self) -> None:
        """Take up what the disk holds."""
        super().start()
        self.epochs = self.node.random("epochs")
        error_ns = self.settings.clock_error_ns
        self.clock_off_ns = self.node.random("clock error").randint(-error_ns, error_ns)
        for name, value in sorted(self.node.load().facts.items()):
            if name.startswith(KEY) and value is not None:
                key, record = name.removeprefix(KEY), msgspec.convert(value, Record)
                self.tell_held(key, self.index(key, record), record.clock)

    def restore(self, state: object) -> None:
        """See `Actor.restore`; what follows from the store is made anew."""
        super().restore(state)  # type: ignore[arg-type]
        held, self.store, self.fingerprints, self.trees = self.store, {}, {}, {}
        for key, record in held.items():
            self.index(key, record)
        self.rings_changed()

    def wall_ns(self) -> int:
        """This server's wall clock, which is off by what its settings allow."""
        return self.node.now_ns() + self.clock_off_ns

    # what is held

    def clock_of(self, key: str) -> Clock | None:
        record = self.store.get(key)
        return record.clock if record is not None else None

    def fingerprint_of(self, key: str) -> int:
        return self.fingerprints.get(key, 0)

    def tree(self, partition: int) -> Merkle:
        found = self.trees.get(partition)
        if found is None:
            found = self.trees[partition] = Merkle()
        return found

    def index(self, key: str, record: Record) -> int:
        """Hold a record in memory; returns its fingerprint."""
        mark = fingerprint(record.clock)
        self.store[key] = record
        self.fingerprints[key] = mark
        self.index_change(key, mark)
        return mark

    def index_change(self, key: str, mark: int) -> None:
        """Bring the partition's tree up to date."""
        self.tree(self.partition(key)).put(key, mark)

    def keep(self, key: str, record: Record) -> None:
        """Hold a record from now on, in memory and on disk."""
        mark = self.index(key, record)
        if self.settings.storage == "disk":
            self.node.save(**{KEY + key: record})
        self.tell_held(key, mark, record.clock)

    def tell_held(self, key: str, mark: int, clock: Clock) -> None:
        size = len(encode(clock)) - sum(len(encode(content)) for content in clock.siblings)
        self.node.emit(Held(key, mark, len(live(clock)), clock.entries, size))

    def merge(self, key: str, clock: Clock) -> None:
        """Hold what this replica and another know together."""
        record = self.store.get(key)
        if record is None:
            self.keep(key, Record(clock))
            return
        merged = record.clock.sync(clock)  # type: ignore[arg-type]
        if merged != record.clock:
            self.keep(key, Record(merged, record.epoch))

    def forget(self, key: str) -> None:
        """Hold nothing of a key."""
        del self.store[key]
        del self.fingerprints[key]
        self.index_change(key, 0)
        if self.settings.storage == "disk":
            self.node.save(**{KEY + key: None})
        self.node.emit(Held(key, 0, 0, 0, 0))

    def new_epoch(self) -> int:
        """A number under which this node has never made an event of any key, even if it lost its disk."""
        return self.epochs.getrandbits(EPOCH_BITS) + 1

    def actor_id(self, epoch: int) -> int:
        """The name of this node's events in clocks."""
        return epoch << NODE_BITS | self.node.id

    # messages

    def on_write_replica(self, coordinator: NodeId, write: WriteReplica) -> None:
        """Merge a copy, and say so; or keep it for the owner that is down."""
        if write.stands_for is not None:
            self.keep_hint(write.stands_for, write.key, write.clock)
        elif write.repair:
            self.take_repair(write.key, write.clock)
        else:
            self.merge(write.key, write.clock)
        if write.op:
            self.node.send(coordinator, ReplicaWrote(write.op, write.stands_for))

    def take_repair(self, key: str, clock: Clock) -> None:
        """A reader found this replica behind."""
        self.merge(key, clock)

    def keep_hint(self, owner: NodeId, key: str, clock: Clock) -> None:
        """Hold a copy for an owner that is down; see `actors.protocols.hints`."""
        raise NotImplementedError

    handlers: ClassVar = {**RingView.handlers, WriteReplica: on_write_replica}
    events: ClassVar[tuple[type[Event], ...]] = (*RingView.events, Held)
