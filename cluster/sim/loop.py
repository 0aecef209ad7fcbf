"""The simulator's loop: all nodes in one process on a virtual clock that jumps to what is due next."""

import heapq
import time
from collections.abc import Callable

from actors.message import Event, Message, NodeId
from cluster.drive import DrivenNode
from cluster.fabric import Director, Progress, Setup
from cluster.journal import NOBODY, Journal
from cluster.loop import CALL, DELIVER, SYNCED, Loop
from cluster.sim.digest import BULK, Digest
from cluster.sim.interrupts import Interrupts
from cluster.tally import COUNTED, Tally

WATCH_EVERY_S = 0.2

Watch = Callable[[Progress], None]


class SimLoop(Loop):
    """One step after another, each by `handle`: for whoever wants to see or change steps. `FastLoop` does the same."""

    def __init__(self, setup: Setup, journal: Journal, director: Director) -> None:
        super().__init__(setup, "sim")
        self.digest = Digest()
        self.tally = Tally(setup.topology, setup.duration_ns)
        self._journal = journal
        self._director = director
        watches: tuple[type[Event], ...] | None = getattr(director, "watches", None)
        self._watches = None if watches is None else frozenset(watches)
        self._director_due_ns: int | None = None  # the call of the director that stands in the heap
        self._watched_s = time.monotonic()
        self.interrupts = Interrupts()
        journal.copy_to = self.digest.add_events

    def forward(self, due_ns: int, source: NodeId, target: NodeId, message: Message) -> None:
        """See `Loop.forward`."""
        heapq.heappush(self.heap, (due_ns, self.number(), DELIVER, target, source, message))

    def start_sync(self, node: DrivenNode) -> None:
        """See `Loop.start_sync`."""
        due_ns = self.now_ns + self.sync_ns(node)
        self.push(due_ns, SYNCED, node.id, node.id, (node.incarnation, node.disk.begin_sync()))

    def publish(self, node: NodeId, event: Event) -> None:
        """See `Loop.publish`."""
        self._journal.write(self.now_ns, node, event)
        if type(event) in COUNTED:
            self.tally.observe(self.now_ns, node, event)
        if self._watches is not None and type(event) not in self._watches:
            return
        self._director.observe(node, event, self.now_ns)
        due_ns, stands_ns = self._director.due_ns(), self._director_due_ns
        if due_ns is not None and (stands_ns is None or due_ns < stands_ns):
            self.schedule_director()  # what it saw makes it act

    def record(self, event: Event) -> None:
        """What the controller tells."""
        self.publish(NOBODY, event)

    def schedule_director(self) -> None:
        """Call the director when it is next due, ahead of the nodes' entries of that moment.

        A director that became due while a step was under way is called behind it.
        """
        due_ns, stands_ns = self._director.due_ns(), self._director_due_ns
        if due_ns is None:
            return
        due_ns = max(due_ns, self.now_ns)
        if stands_ns is not None and stands_ns <= due_ns:
            return
        self._director_due_ns = due_ns
        number = 0 if due_ns > self.now_ns else self.number()
        heapq.heappush(self.heap, (due_ns, number, CALL, NOBODY, NOBODY, None))

    def call_director(self) -> bool:
        """Its time has come. Returns whether it ends the run now."""
        was_over = self._director.over
        if self._director_due_ns == self.now_ns:
            self._director_due_ns = None
        self._director.advance(self.now_ns)
        self.schedule_director()
        return self._director.over and not was_over

    def run_until(self, end_ns: int, watch: Watch) -> None:
        """Handle everything that is due before `end_ns`, or until the director says that the run is over."""
        heap, steps = self.heap, self.digest.steps
        while heap and heap[0][0] < end_ns:
            due = heapq.heappop(heap)
            steps.append(due)
            self.now_ns, _, kind, node, sender, what = due
            if kind == CALL:
                if self.call_director():
                    return
            else:
                self.handle(kind, node, sender, what)
            if len(steps) >= BULK:
                self.end_bulk(watch)
        self.now_ns = end_ns

    def end_bulk(self, watch: Watch) -> None:
        """What is done once every BULK steps."""
        self.digest.drain()
        self.interrupts.look()
        now_s = time.monotonic()
        if now_s - self._watched_s > WATCH_EVERY_S:
            self._watched_s = now_s
            watch(self.tally.progress(self.now_ns))

    def hexdigest(self) -> str:
        """The digest over all that has happened so far."""
        self._journal.flush()
        return self.digest.hexdigest()
