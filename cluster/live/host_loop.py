"""The loop of one host on the real clock: receives frames, runs its nodes, sends one frame a receiver and turn.

One turn: take the commands and frames that came, handle all that is due, write the journal, and only then let the
turn's frames leave; then sleep until something comes or falls due.
"""

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import msgspec
import zmq

from actors.message import Event, Message, NodeId
from actors.node import Stored
from cluster.codec import Codec, Letter, MalformedFrame
from cluster.disk import Damage, Record
from cluster.drive import DrivenNode
from cluster.fabric import Setup
from cluster.journal import NOBODY, HostClock, Journal, Traffic
from cluster.lag import Lag
from cluster.latency import load_profile
from cluster.live.file_disk import FileDisk, images
from cluster.live.socket import Inbox, Keys, Outbox, Waker
from cluster.loop import DELIVER, SYNCED, Loop
from cluster.streams import stream

NEVER_AUTOMATICALLY = 1 << 62
TELL_TRAFFIC_EVERY_NS = 1_000_000_000


class HostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one host is to run."""

    name: str
    nodes: tuple[NodeId, ...]
    incarnation: int  # of its nodes: how often they have started before
    folder: Path  # the run's
    keys: Keys


class HostLoop(Loop):
    """Runs a host's nodes in a thread. Other threads talk to it through `command`."""

    def __init__(self, setup: Setup, plan: HostPlan, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        super().__init__(setup, plan.name)
        self.plan = plan
        self.inbox = Inbox(context, plan.keys)
        self.failure: BaseException | None = None
        self.over = threading.Event()
        self.damages: dict[NodeId, Damage | None] = {}  # what was done to its nodes' disks before they start
        self._context = context
        self._codec = Codec((spec.kind for spec in setup.actors), len(setup.actors))
        self._waker = Waker()
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._synced: SimpleQueue[tuple[int, NodeId, int, int]] = SimpleQueue()
        self._outboxes: dict[str, Outbox] = {}
        self._observer: Outbox | None = None
        self._host_of: dict[NodeId, str] = {}
        self._letters: dict[str, list[Letter]] = defaultdict(list)
        self._lag = Lag()
        self._bytes = self._malformed = 0
        self._told = self.last_traffic = Traffic(0, 0, 0, 0)
        self._tell_traffic_ns = TELL_TRAFFIC_EVERY_NS
        self._running = True
        self._disk = FileDisk(plan.folder / "disk", plan.name, sync=setup.disk.real)

    # what other threads may call

    def command(self, call: Callable[[], None]) -> None:
        """Have the loop's thread run this before its next turn."""
        self._commands.put(call)
        self._waker.wake()

    def connect(self, addresses: dict[str, str], host_of: dict[NodeId, str], observer: str) -> None:
        """Learn where the other hosts are; one without an address is gone."""
        for host in [host for host in self._outboxes if host not in addresses]:
            self._outboxes.pop(host).close()
        for host, address in addresses.items():
            if host != self.host and host not in self._outboxes:
                self._outboxes[host] = Outbox(self._context, self.plan.keys, address)
        self._host_of = host_of
        if self._observer is None:
            self._observer = Outbox(self._context, self.plan.keys, observer)

    def disconnect(self, host: str) -> None:
        """A host is gone; what was on its way to it is lost."""
        outbox = self._outboxes.pop(host, None)
        if outbox is not None:
            outbox.close()

    def stop(self) -> None:
        self._running = False

    def run(self, origin_ns: int) -> None:
        """Run until stopped. `origin_ns`: the monotonic clock at the run's start, which is waited for."""
        try:
            self._begin(origin_ns)
            while self._running:
                self._turn()
            self._end()
        except BaseException as error:
            self.failure = error
        finally:
            self.over.set()

    # the loop's own

    def _begin(self, origin_ns: int) -> None:
        self.origin_ns = origin_ns
        name = f"{self.host}-{self.plan.incarnation}.msgpack"
        self._journal = Journal(
            self.plan.folder / "journal" / name,
            host=self.host,
            origin_ns=origin_ns,
            flush_at=NEVER_AUTOMATICALLY,
            record=self.setup.record,
        )
        draw = stream(self.setup.seed, "disk", self.host, self.plan.incarnation)
        records = self._disk.recover(draw)
        found = images(records, lambda node: self.setup.actors[node].kind)
        self._take_commands()  # where the others are, before the first message leaves
        self._make_delay_tables()
        time.sleep(max(0, (origin_ns - time.monotonic_ns()) / 1e9))
        self.now_ns = max(0, time.monotonic_ns() - origin_ns)
        self.publish(NOBODY, HostClock(self.host, 0, 0))
        for node in self.plan.nodes:
            self.start(node, found.get(node, Stored()), self.plan.incarnation, self.damages.get(node))

    def _make_delay_tables(self) -> None:
        """Compute the trips from here to everywhere ahead of time: milliseconds that the first messages would wait."""
        topology, profile = self.setup.topology, load_profile(self.setup.latency)
        everywhere = dict.fromkeys(topology.regions)
        for source in dict.fromkeys(topology.regions[node] for node in self.plan.nodes):
            for target in everywhere:
                profile.trip(source, target, self.setup.inside_region_rtt_ns).table()

    def _turn(self) -> None:
        self._take_commands()
        self._receive()
        self._handle_due()
        if self.now_ns >= self._tell_traffic_ns:
            self._tell_traffic()
        copy = self._journal.flush()
        for host, letters in self._letters.items():
            self._send(host, letters)
        self._letters.clear()
        if copy and self._observer is not None:
            self._observer.send(copy)
        self._sleep()

    def _take_commands(self) -> None:
        while not self._commands.empty():
            self._commands.get()()

    def _receive(self) -> None:
        while (frame := self.inbox.receive()) is not None:
            self._bytes += len(frame)
            try:
                letters = self._codec.decode(frame)
            except MalformedFrame:
                self._malformed += 1
                continue
            for due_ns, source, target, message in letters:
                self.push(due_ns, DELIVER, target, source, message)
        while not self._synced.empty():
            due_ns, node, incarnation, mark = self._synced.get()
            self.push(due_ns, SYNCED, node, node, (incarnation, mark))

    def _handle_due(self) -> None:
        heap, origin_ns, clock = self.heap, self.origin_ns, time.monotonic_ns
        self.now_ns = clock() - origin_ns
        turn_ns = self.now_ns  # what falls due later than this waits for the next turn, so that frames leave in between
        while heap and heap[0][0] <= turn_ns:
            due_ns, _, kind, node, sender, what = heapq.heappop(heap)
            self.now_ns = clock() - origin_ns
            self._lag.add(self.now_ns - due_ns)
            self.handle(kind, node, sender, what)

    def _send(self, host: str, letters: list[Letter]) -> None:
        outbox = self._outboxes.get(host)
        if outbox is None or not outbox.send(self._codec.encode(letters)):
            self.dropped += len(letters)

    def _sleep(self) -> None:
        if not self._commands.empty() or not self._synced.empty() or not self._running:
            return
        wait_s = None
        if self.heap:
            wait_s = (self.heap[0][0] + self.origin_ns - time.monotonic_ns()) / 1e9
            if wait_s <= 0:
                return
        self._waker.wait(self.inbox, wait_s)

    def _end(self) -> None:
        self._tell_traffic(lag_p99_ns=self._lag.p99_ns())
        self._journal.close()
        self._disk.close()
        for outbox in self._outboxes.values():
            outbox.close()
        if self._observer is not None:
            self._observer.close()
        self.inbox.close()

    def _tell_traffic(self, lag_p99_ns: int = 0) -> None:
        """Record what passed since the last time: a killed host's share is known up to its last full second."""
        total = Traffic(self.sent, self.dropped, self.delivered, self._bytes, self._malformed)
        told = self._told
        self.last_traffic = Traffic(
            sent=total.sent - told.sent,
            dropped=total.dropped - told.dropped,
            delivered=total.delivered - told.delivered,
            bytes=total.bytes - told.bytes,
            malformed=total.malformed - told.malformed,
            lag_p99_ns=lag_p99_ns,
        )
        self.publish(NOBODY, self.last_traffic)
        self._told = total
        self._tell_traffic_ns = self.now_ns + TELL_TRAFFIC_EVERY_NS

    # what differs from the simulator

    def forward(self, due_ns: int, source: NodeId, target: NodeId, message: Message) -> None:
        """See `Loop.forward`."""
        host = self._host_of.get(target)
        if host == self.host:
            self.push(due_ns, DELIVER, target, source, message)
        elif host is not None:
            self._letters[host].append((due_ns, source, target, message))
        else:
            self.dropped += 1

    def start_sync(self, node: DrivenNode) -> None:
        """See `Loop.start_sync`: the real write, and at least as long as the disk model says."""
        took_ns = self.setup.disk.fsync_ns + node.ailment.fsync_extra_ns
        due_ns, node_id, incarnation = self.now_ns + took_ns, node.id, node.incarnation
        records, mark = node.disk.unsynced(), node.disk.begin_sync()

        def done() -> None:
            self._synced.put((due_ns, node_id, incarnation, mark))
            self._waker.wake()

        self._disk.write(node_id, records, done)

    def keep(self, node_id: NodeId, record: Record) -> None:
        """See `Loop.keep`: the node's log on disk gets it too."""
        self._disk.write(node_id, [record], lambda: None)

    def publish(self, node: NodeId, event: Event) -> None:
        """See `Loop.publish`: journalled here, and copied to the observer at the turn's end."""
        self._journal.write(self.now_ns + self.origin_ns, node, event)
