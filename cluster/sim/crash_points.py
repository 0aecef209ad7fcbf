"""A crash at each disk write in turn, with every part of the unsynced records that the disk may have kept.

A node's state after a crash depends on the write before it and on how much of what was not synced survived; records are
written in order, so that is how many of them. A first run without a crash lists the points; each is then a run of its
own: the same up to the write, at which the node crashes before anything that waited for the write has left.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from actors.message import NodeId
from actors.settings import MS
from cluster.drive import DrivenNode
from cluster.fabric import Director, Setup
from cluster.journal import Journal
from cluster.sim.loop import SimLoop

RESTART = 1 << 10  # a kind of entry on the heap
DOWN_NS = 20 * MS  # between a crash and the restart, unless said otherwise


class CrashPoint(msgspec.Struct, frozen=True):
    """A write, counted from 1 over all servers, and how many of the records not yet synced survive the crash at it."""

    write: int
    kept: int


class Write(msgspec.Struct, frozen=True):
    """A write of a run without crashes."""

    time_ns: int
    node: NodeId
    unsynced: int  # records, itself among them

    def points(self, number: int) -> Iterator[CrashPoint]:
        """Every way to crash at it: from nothing that was not synced to all of it."""
        return (CrashPoint(number, kept) for kept in range(self.unsynced + 1))


class WritesLoop(SimLoop):
    """A simulator that lists the writes of its servers, and crashes at one of them if told to."""

    def __init__(
        self,
        setup: Setup,
        journal: Journal,
        director: Director,
        *,
        point: CrashPoint | None = None,
        down_ns: int = DOWN_NS,
    ) -> None:
        super().__init__(setup, journal, director)
        self.writes: list[Write] = []
        self._point = point
        self._down_ns = down_ns

    def start(self, node_id: NodeId, *args: Any, **kwargs: Any) -> None:
        """See `Loop.start`."""
        super().start(node_id, *args, **kwargs)
        self._look(node_id, 0)

    def handle(self, kind: int, node_id: NodeId, sender: int, what: Any) -> bool:
        """See `Loop.handle`; a step is one write at most, for its saves are one record."""
        if kind == RESTART:
            self.start(node_id)
            return True
        node = self.nodes.get(node_id)
        asked = 0 if node is None else node.disk.asked
        handled = super().handle(kind, node_id, sender, what)
        self._look(node_id, asked)
        return handled

    def crash_draw(self, node: DrivenNode) -> Random:
        """See `Loop.crash_draw`."""
        at_point = self._point is not None and len(self.writes) == self._point.write
        return _Kept(self._point.kept) if at_point and self._point is not None else super().crash_draw(node)

    def _look(self, node_id: NodeId, asked: int) -> None:
        """Whether the step has written; crash at the point."""
        node = self.nodes.get(node_id)
        if node is None or node.disk.asked == asked or node_id >= self.setup.topology.server_count:
            return
        self.writes.append(Write(self.now_ns, node_id, node.disk.asked - node.disk.durable))
        if self._point is not None and len(self.writes) == self._point.write:
            self.crash(node_id)
            self.push(self.now_ns + self._down_ns, RESTART, node_id, node_id, None)


class _Kept(Random):
    """Draws what it was told."""

    def __init__(self, kept: int) -> None:
        super().__init__(0)
        self._kept = kept

    def randint(self, a: int, b: int) -> int:
        """See `random.Random.randint`: a crash asks it how many records it keeps."""
        return min(b, a + self._kept)
