"""The simulator's loop: all nodes in one process on a virtual clock that jumps to what is due next."""

import heapq
import time
from collections.abc import Callable

from actors.message import Event, Message, NodeId
from cluster.drive import DrivenNode
from cluster.fabric import Director, Progress, Setup
from cluster.journal import NOBODY, Journal
from cluster.loop import CALL, DELIVER, SYNCED, Loop
from cluster.sim.digest import Digest
from cluster.tally import Tally

WATCH_EVERY = 4096  # entries between two looks at the real clock
WATCH_EVERY_S = 0.2
NEVER_NS = 1 << 62


class SimLoop(Loop):
    """The loop on a virtual clock: it jumps to the time of the next entry."""

    def __init__(self, setup: Setup, journal: Journal, director: Director) -> None:
        super().__init__(setup, "sim")
        self.digest = Digest()
        self.tally = Tally(setup.topology, setup.duration_ns)
        self._journal = journal
        self._director = director
        self._call_ns = NEVER_NS  # when the director is called next

    def forward(self, due_ns: int, source: NodeId, target: NodeId, message: Message) -> None:
        """See `Loop.forward`."""
        self._sequence += 1
        heapq.heappush(self.heap, (due_ns, self._sequence, DELIVER, target, source, message))

    def start_sync(self, node: DrivenNode) -> None:
        """See `Loop.start_sync`."""
        took_ns = self.setup.disk.fsync_ns + node.ailment.fsync_extra_ns
        self.push(self.now_ns + took_ns, SYNCED, node.id, node.id, (node.incarnation, node.disk.begin_sync()))

    def publish(self, node: NodeId, event: Event) -> None:
        """See `Loop.publish`."""
        self.digest.add(self.now_ns, node, event)
        self._journal.write(self.now_ns, node, event)
        self.tally.observe(node, event)
        self._director.observe(node, event, self.now_ns)
        due_ns = self._director.due_ns()
        if due_ns is not None and due_ns < self._call_ns:
            self.schedule_director()  # what it saw makes it act

    def record(self, event: Event) -> None:
        """What the controller tells."""
        self.publish(NOBODY, event)

    def schedule_director(self) -> None:
        """Call the director when it is next due, ahead of the nodes' entries of that moment."""
        due_ns = self._director.due_ns()
        self._call_ns = NEVER_NS if due_ns is None else max(due_ns, self.now_ns)
        if due_ns is not None:
            heapq.heappush(self.heap, (self._call_ns, 0, CALL, NOBODY, NOBODY, None))

    def run_until(self, end_ns: int, watch: Callable[[Progress], None]) -> None:
        """Handle everything that is due before `end_ns`, or until the director says that the run is over."""
        heap, pop, handle, add = self.heap, heapq.heappop, self.handle, self.digest.add
        steps, watched_s, was_over = 0, time.monotonic(), self._director.over
        while heap and heap[0][0] < end_ns:
            self.now_ns, _, kind, node, sender, what = pop(heap)
            if kind == CALL:
                self._director.advance(self.now_ns)
                self.schedule_director()
                if self._director.over and not was_over:
                    return
            elif handle(kind, node, sender, what):
                add(self.now_ns, kind, node, sender, what)
            steps += 1
            if not steps % WATCH_EVERY and time.monotonic() - watched_s > WATCH_EVERY_S:
                watched_s = time.monotonic()
                watch(self.tally.progress(self.now_ns))
        self.now_ns = end_ns
