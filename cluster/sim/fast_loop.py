"""The simulator's loop again, with what happens to most messages written out in one place: the hot path.

It does step by step what `SimLoop` does, and gives the same digest; a test holds the two together. What is written out
is a message that reaches an open node, and what a node sends over links without a fault; all else goes to the methods
that `SimLoop` uses.
"""

import heapq
from collections.abc import Callable
from itertools import repeat
from typing import Any

from actors.message import NodeId
from actors.node import Stored
from cluster.ailment import HEALTHY
from cluster.drive import EVENT, DrivenNode, Effect
from cluster.fabric import Director, Setup
from cluster.journal import NOBODY, Journal
from cluster.loop import CALL, DELIVER, STOP, SYNCED, TIMER, Due
from cluster.sim.digest import BULK
from cluster.sim.loop import SimLoop, Watch


class FastLoop(SimLoop):
    """A simulator that nobody looks into while it runs."""

    def __init__(self, setup: Setup, journal: Journal, director: Director) -> None:
        super().__init__(setup, journal, director)
        self._fsync_ns = setup.disk.fsync_ns
        self._open: list[DrivenNode | None] = [None] * len(setup.actors)  # those that take what comes at once

    def run_until(self, end_ns: int, watch: Watch) -> None:
        """See `SimLoop.run_until`."""
        stop: Due = (end_ns, -1, STOP, NOBODY, NOBODY, None)
        heapq.heappush(self.heap, stop)
        while self._run_bulk():
            self.end_bulk(watch)
        if self.now_ns < end_ns:  # the director ended the run before
            self.heap.remove(stop)
            heapq.heapify(self.heap)

    def _run_bulk(self) -> bool:
        """Handle what is due until a bulk of steps has gathered (True), or the end is reached (False).

        A step stays on the heap while its node handles it, so that the first message it sends can take its place: what
        is pushed meanwhile never comes before it.
        """
        heap, steps, nodes, number, release = self.heap, self.digest.steps, self._open, self.number, self.release
        pop, push, replace = heapq.heappop, heapq.heappush, heapq.heapreplace
        delivered = sent = 0
        try:
            for _ in repeat(None, BULK - len(steps)):
                due = heap[0]
                now_ns, _, kind, node_id, sender, what = due
                self.now_ns = now_ns
                if kind != DELIVER or (node := nodes[node_id]) is None:
                    pop(heap)
                    if kind == STOP:
                        return False
                    steps.append(due)
                    if self._handle_rest(kind, nodes[node_id] if node_id >= 0 else None, due):
                        return False
                    continue
                steps.append(due)
                delivered += 1
                node.handlers[type(what)](node.actor, sender, what)
                put: Callable[[list[Due], Due], Any] = replace
                if node.dirty:
                    node.carry_out()
                elif effects := node.effects:
                    links = node.links
                    for to, message in effects:
                        link = links.get(to)
                        if link is None:
                            release(node, [(to, message)])
                            continue
                        sent += 1
                        bits = (link.draws or link.refill()).pop()
                        if bits < link.plain_below:
                            due_ns = now_ns + link.table[bits & 0xFFF]
                            if due_ns < link.last_due_ns:
                                due_ns = link.last_due_ns
                            link.last_due_ns = due_ns
                            put(heap, (due_ns, number(), DELIVER, to, node_id, message))
                            put = push
                        else:
                            self.forward_all(link.pass_bits(bits, now_ns, message), node_id, to, message)  # type: ignore[arg-type]
                    effects.clear()
                if put is replace:
                    pop(heap)
        finally:
            self.delivered += delivered
            self.sent += sent
        return True

    def _handle_rest(self, kind: int, node: DrivenNode | None, due: Due) -> bool:
        """Handle what is not a message for an open node. True if the director ends the run now."""
        if kind == CALL:
            return self.call_director()
        _, _, _, node_id, sender, what = due
        if node is None or kind not in (SYNCED, TIMER):
            self.handle(kind, node_id, sender, what)
        elif kind == TIMER:
            if node.timer_due(what, sender):
                node.timers[what](node.actor)
                node.carry_out()
        elif what[0] == node.incarnation:
            node.sync_done(what[1])
        return False

    def release(self, node: DrivenNode, effects: list[Effect]) -> None:
        """See `Loop.release`."""
        source, links, now_ns = node.id, node.links, self.now_ns
        heap, push, number = self.heap, heapq.heappush, self.number
        for to, what in effects:
            link = links.get(to)
            if link is None:
                if to == EVENT:
                    self.publish(source, what)  # type: ignore[arg-type]
                else:
                    self.transmit(source, to, what)  # type: ignore[arg-type]
                continue
            self.sent += 1
            bits = (link.draws or link.refill()).pop()
            if bits < link.plain_below:
                due_ns = now_ns + link.table[bits & 0xFFF]
                if due_ns < link.last_due_ns:
                    due_ns = link.last_due_ns
                link.last_due_ns = due_ns
                push(heap, (due_ns, number(), DELIVER, to, source, what))
            else:
                self.forward_all(link.pass_bits(bits, now_ns, what), source, to, what)  # type: ignore[arg-type]

    def start_sync(self, node: DrivenNode) -> None:
        """See `Loop.start_sync`."""
        if node.ailment is not HEALTHY or self.setup.disk.throughput_bytes_s is not None:
            super().start_sync(node)
            return
        mark = (node.incarnation, node.disk.begin_sync())
        heapq.heappush(self.heap, (self.now_ns + self._fsync_ns, self.number(), SYNCED, node.id, node.id, mark))

    # who is open

    def start(self, node_id: NodeId, image: Stored | None = None, incarnation: int | None = None) -> None:
        """See `Loop.start`."""
        super().start(node_id, image, incarnation)
        self._look(node_id)

    def crash(self, node_id: NodeId) -> None:
        """See `Loop.crash`."""
        super().crash(node_id)
        self._look(node_id)

    def pause(self, node_id: NodeId) -> None:
        """See `Loop.pause`."""
        super().pause(node_id)
        self._look(node_id)

    def resume(self, node_id: NodeId) -> None:
        """See `Loop.resume`."""
        super().resume(node_id)
        self._look(node_id)

    def regate(self, node: DrivenNode) -> None:
        """See `Loop.regate`."""
        super().regate(node)
        self._look(node.id)

    def _look(self, node_id: NodeId) -> None:
        node = self.nodes.get(node_id)
        self._open[node_id] = None if node is None or node.gated else node
