"""Wrong Dynamos. Each overrides what it breaks, and says which property goes."""

from typing import Any

from actors.clocks import MECHANISMS, Clock
from actors.clocks.vector import NOTHING_SEEN, Context
from actors.message import NodeId
from actors.node import Actor, Node
from actors.protocols.dynamo import Dynamo
from actors.protocols.dynamo_messages import Record
from actors.protocols.dynamo_read import Reading
from actors.protocols.dynamo_settings import DynamoSettings
from actors.protocols.dynamo_write import Target, Writing
from actors.state.consistency import Level, Requirements


class OverlapWithoutOne(Dynamo):
    """Takes R + W = N for overlap: a quorum is half of the replicas, not more (stale reads; shows with an even N)."""

    def write_needs(self, partition: int, level: Level | str | None) -> Requirements:
        """See `Writes.write_needs`; this one rounds the wrong way."""
        return halved(super().write_needs(partition, level))

    def read_needs(self, owners: tuple[NodeId, ...], level: Level | str | None) -> Requirements:
        """See `Reads.read_needs`; this one rounds the wrong way."""
        return halved(super().read_needs(owners, level))


def halved(needs: Requirements) -> Requirements:
    """Half of the nodes in place of more than half."""
    return tuple((nodes, min(count, (len(nodes) + 1) // 2)) for nodes, count in needs)


class VectorByServer(Dynamo):
    """Counts writes by server without a dot of their own (a sibling is lost without a trace)."""

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.mechanism = MECHANISMS["vv-server"]


class ContextDropped(Dynamo):
    """Forgets what the client had seen: every write is a sibling (sibling explosion)."""

    def context_for(self, context: Context) -> Context:
        """See `Writes.context_for`."""
        return NOTHING_SEEN


class ReplyCoversUnseen(Dynamo):
    """Tells a writer that it has seen all siblings (its next write takes the place of what it never saw)."""

    def context_after(self, clock: Clock, seen: Context) -> Context:
        """See `Writes.context_after`."""
        return clock.join()


class CollectedTooEarly(Dynamo):
    """Forgets a tombstone though a replica has not got it (the deleted value comes back)."""

    def is_confirmed(self, fellows: tuple[NodeId, ...], holders: tuple[NodeId, ...]) -> bool:
        """See `Tombstones.is_confirmed`; this one asks nobody."""
        return True


class HintCounts(Dynamo):
    """Counts a hint as a copy in a strict quorum (an acknowledged write is not there to be read)."""

    def enough(self, needs: Requirements, targets: list[Target]) -> bool:
        """See `Writes.enough`; a hint can always be kept."""
        return True

    def hint_kept(self, op: Writing, owner: NodeId) -> None:
        """See `Writes.hint_kept`."""
        op.acked.append(owner)


class RepairsWithOlder(Dynamo):
    """Read repair overwrites with the copy that knows least (acknowledged writes are lost to reads)."""

    def repair_clock(self, op: Reading) -> Clock | None:
        """See `Reads.repair_clock`; this one takes the one with the fewest events."""
        clocks = [clock for clock in op.data.values() if clock is not None]
        return min(clocks, key=lambda clock: sum(n for _, n in clock.join().vector), default=None)

    def behind_of(self, op: Reading) -> list[NodeId]:
        """See `Reads.behind_of`; whoever knows more is taken to be behind."""
        clock = self.repair_clock(op)
        return [owner for owner in op.data if op.data[owner] != clock]

    def take_repair(self, key: str, clock: Clock) -> None:
        """See `Replica.take_repair`; this one does not merge."""
        self.keep(key, Record(clock, self.store[key].epoch if key in self.store else 0))


class WallClockDecides(Dynamo):
    """Lets the last writer win by wall clocks that are off (concurrent and later writes are lost)."""

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.mechanism = MECHANISMS["lww"]


class CountersReused(Dynamo):
    """Goes on under its old name after losing its disk (new writes count as known, and are dropped silently)."""

    def new_epoch(self) -> int:
        """See `Replica.new_epoch`; this one has only one."""
        return 1


class TreeMissesDeletes(Dynamo):
    """Does not bring the Merkle tree up to date on a delete (replicas stay apart, and anti-entropy sees nothing)."""

    def index_change(self, key: str, mark: int) -> None:
        """See `Replica.index_change`."""
        tree: Any = self.tree(self.partition(key))
        if mark and key in self.deleted_ns and key in set(tree):
            return
        super().index_change(key, mark)


DYNAMO: dict[str, type[Actor]] = {
    "overlap-without-one": OverlapWithoutOne,
    "vector-by-server": VectorByServer,
    "context-dropped": ContextDropped,
    "reply-covers-unseen": ReplyCoversUnseen,
    "collected-too-early": CollectedTooEarly,
    "hint-counts": HintCounts,
    "repairs-with-older": RepairsWithOlder,
    "wall-clock-decides": WallClockDecides,
    "counters-reused": CountersReused,
    "tree-misses-deletes": TreeMissesDeletes,
}
