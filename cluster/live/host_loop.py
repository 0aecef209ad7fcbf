"""The loop of one host on the real clock: receives frames, runs its nodes, sends one frame a receiver and turn.

One turn: take the commands and frames that came, handle all that is due, write the journal, and only then let the
turn's frames leave; then sleep until something comes or falls due.
"""

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

import zmq

from actors.message import Event, Message, NodeId
from cluster.buckets import Buckets
from cluster.codec import Codec, Letter, MalformedFrame
from cluster.disk import Record
from cluster.drive import DrivenNode
from cluster.fabric import Setup
from cluster.journal import NOBODY, HostClock, Journal, Traffic
from cluster.latency import profile_of
from cluster.live.file_disk import FileDisk, images, void
from cluster.live.host_plan import HostPlan, far_folder
from cluster.live.observer import Observer, Watched
from cluster.live.punctual import be_punctual
from cluster.live.socket import LOOPBACK, Inbox, Outbox, Waker
from cluster.loop import DELIVER, SYNCED, Loop
from cluster.streams import stream

NEVER_AUTOMATICALLY = 1 << 62
TURN_ENTRIES = 256  # handled at most between two looks at what has come
TELL_TRAFFIC_EVERY_NS = 1_000_000_000


class DiskOutOfReach(Exception):
    """A host is to start again where its disk is not: it must not, on an empty one."""


class HostLoop(Loop):
    """Runs a host's nodes in a thread. Other threads talk to it through `command`."""

    def __init__(
        self,
        setup: Setup,
        plan: HostPlan,
        context: "zmq.Context[zmq.Socket[bytes]]",
        watched: Watched = None,
        *,
        ip: str = LOOPBACK,
        far: bool = False,
    ) -> None:
        super().__init__(setup, plan.name)
        self._touched: dict[NodeId, DrivenNode] = {}
        self.touched = self._touched
        self.plan = plan
        self.starts: dict[NodeId, int] = {}  # which nodes to start, and how often each was started before
        self.folder = far_folder(setup) if far else plan.folder
        self.observer = Observer(plan, watched, far=far)
        self.inbox = Inbox(context, plan.keys, ip)
        self.failure: BaseException | None = None
        self.over = threading.Event()
        self._context = context
        self._codec = Codec((spec.kind for spec in setup.actors), len(setup.actors))
        self._waker = Waker()
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._synced: SimpleQueue[tuple[int, NodeId, tuple[int, int, int]]] = SimpleQueue()
        self._outboxes: dict[str, Outbox] = {}
        self._host_of: dict[NodeId, str] = {}
        self._letters: dict[str, list[Letter]] = defaultdict(list)
        self._lag = Buckets(bits=4)  # by how much the oldest entry of each turn was late
        self._bytes = self._malformed = 0
        self._told = self.last_traffic = Traffic(0, 0, 0, 0)
        self._tell_traffic_ns = TELL_TRAFFIC_EVERY_NS
        self._running = True
        self._far = far
        if plan.life and far and not (self.folder / "disk" / f"{plan.name}.log").exists():
            raise DiskOutOfReach(f"the disk of {plan.name} is on a machine that is gone")
        self._disk = FileDisk(self.folder / "disk", plan.name, sync=setup.disk.real, failed=self._end_with)
        self._handed: dict[NodeId, int] = {}  # up to which mark a node's records were given to the disk
        self._unsettled: set[NodeId] = set()  # crashed nodes whose loss is not on disk yet
        self._awaited: dict[NodeId, int] = {}  # of them, those that are to start again: node -> starts before

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
        if not self.observer.connected:
            self.observer.connect(Outbox(self._context, self.plan.keys, observer))

    def disconnect(self, host: str) -> None:
        """A host is gone; what was on its way to it is lost."""
        outbox = self._outboxes.pop(host, None)
        if outbox is not None:
            outbox.close()

    def _end_with(self, error: OSError) -> None:
        def fail() -> None:
            raise error

        self.command(fail)

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
        name = f"{self.host}-{self.plan.life}.msgpack"
        path = self.folder / "journal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(
            path,
            host=self.host,
            origin_ns=origin_ns,
            flush_at=NEVER_AUTOMATICALLY,
            record=self.setup.record,
        )
        journal_head = path.read_bytes()
        if self.setup.record == "messages":
            messages = path.with_name(f"{path.stem}-messages.msgpack")
            self.messages_to = Journal(messages, host=self.host, origin_ns=origin_ns)
        draw = stream(self.setup.seed, "disk", self.host, self.plan.life)
        records = self._disk.recover(draw)
        self._disks = images(records, lambda node: self.setup.actors[node].kind)
        self._take_commands()  # where the others are, before the first message leaves
        self.observer.copy_journal(journal_head)
        self._make_delay_tables()
        be_punctual()
        time.sleep(max(0, (origin_ns - time.monotonic_ns()) / 1e9))
        self.now_ns = max(0, time.monotonic_ns() - origin_ns)
        if not self._far:
            self.publish(NOBODY, HostClock(self.host, 0, 0))
        for node, before in self.starts.items():
            self.start(node, incarnation=before)
        self.observer.copy_journal(self._journal.flush())

    def _make_delay_tables(self) -> None:
        """Compute the trips from here to everywhere ahead of time: milliseconds that the first messages would wait."""
        topology, profile = self.setup.topology, profile_of(self.setup.latency)
        everywhere = dict.fromkeys(topology.regions)
        for source in dict.fromkeys(topology.regions[node] for node in self.starts):
            for target in everywhere:
                profile.trip(source, target, self.setup.inside_region_rtt_ns).table()

    def _turn(self) -> None:
        self._take_commands()
        self._receive()
        self._handle_due()
        if self.now_ns >= self._tell_traffic_ns:
            self._tell_traffic()
        self.observer.copy_journal(self._journal.flush())
        for host, letters in self._letters.items():
            self._send(host, letters)
        self._letters.clear()
        self.observer.tell(self.now_ns)
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
            due_ns, node, what = self._synced.get()
            self.push(due_ns, SYNCED, node, node, what)

    def _handle_due(self) -> None:
        """Handle what is due, then carry out its effects: once a node, its saves as one record.

        What falls due only now waits for the next turn, and so does what exceeds a share, so that frames leave in
        between.
        """
        heap, origin_ns, clock, handle, pop = self.heap, self.origin_ns, time.monotonic_ns, self.handle, heapq.heappop
        turn_ns = self.now_ns = clock() - origin_ns
        if heap and heap[0][0] <= turn_ns:
            self._lag.add(turn_ns - heap[0][0])
        left = TURN_ENTRIES
        while heap and heap[0][0] <= turn_ns and left:
            _, _, kind, node, sender, what = pop(heap)
            self.now_ns = clock() - origin_ns
            if kind == SYNCED:
                what = self._confirm(node, *what)
            handle(kind, node, sender, what)
            left -= 1
        for driven in self._touched.values():
            driven.carry_out()
        self._touched.clear()

    def _confirm(self, node_id: NodeId, incarnation: int, mark: int, end: int | None = None) -> tuple[int, int]:
        """A sync has come to its modelled end: a crash from here on loses nothing of it, unless it lied (no `end`)."""
        node = self.nodes.get(node_id)
        if end is not None and node is not None and node.incarnation == incarnation:
            self._disk.confirm(node_id, end)
        return incarnation, mark

    def _send(self, host: str, letters: list[Letter]) -> None:
        outbox = self._outboxes.get(host)
        if outbox is None or not outbox.send(self._codec.encode(letters)):
            self.dropped += len(letters)

    def _sleep(self) -> None:
        if not self._commands.empty() or not self._synced.empty() or not self._running:
            return
        due_ns, tell_ns = self.heap[0][0] if self.heap else None, self.observer.due_ns()
        if tell_ns is not None and (due_ns is None or due_ns > tell_ns):
            due_ns = tell_ns
        wait_s = None
        if due_ns is not None:
            wait_s = (due_ns + self.origin_ns - time.monotonic_ns()) / 1e9
            if wait_s <= 0:
                return
        self._waker.wait(self.inbox, wait_s)

    def _end(self) -> None:
        self._tell_traffic(lag_p99_ns=self._lag.percentile_ns(990) or 0)
        self.observer.copy_journal(self._journal.flush())
        self._journal.close()
        if self.messages_to is not None:
            self.messages_to.close()
        self._disk.close()
        for outbox in self._outboxes.values():
            outbox.close()
        self.observer.close()
        self.inbox.close()

    def _tell_traffic(self, lag_p99_ns: int = 0) -> None:
        """Record what passed since the last time: a killed host's share is known up to its last full second."""
        self.tell_loads()
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
        due_ns, node_id, incarnation = self.now_ns + self.sync_ns(node), node.id, node.incarnation
        records, mark = node.disk.unsynced(), node.disk.begin_sync()
        self._handed[node_id] = mark

        def done(end: int) -> None:
            self._synced.put((due_ns, node_id, (incarnation, mark, end)))
            self._waker.wake()

        end = self._disk.write(node_id, records, done)
        if end is not None:
            self.push(due_ns, SYNCED, node_id, node_id, (incarnation, mark, end))

    def crash(self, node_id: NodeId) -> None:
        """See `Loop.crash`. What the crash loses of the node's records stands in the shared log: it is voided there."""
        if node_id not in self.nodes:
            return  # it has stopped by itself
        disk = self.nodes[node_id].disk
        asked, handed = disk.unsynced(), max(0, self._handed.pop(node_id, 0) - disk.durable)
        super().crash(node_id)
        kept = len(asked) - len(disk.unsynced())
        records = asked[handed:kept] + ([void(handed - kept)] if handed > kept else [])
        if records:
            self._unsettled.add(node_id)
            end = self._disk.write(node_id, records, lambda end: self.command(partial(self._settle, node_id, end)))
            if end is not None:
                self._settle(node_id, end)

    def _settle(self, node_id: NodeId, end: int) -> None:
        self._disk.confirm(node_id, end)
        self._unsettled.discard(node_id)
        if node_id in self._awaited:
            self.restart(node_id, self._awaited.pop(node_id))

    def hand_if_here(self, node_id: NodeId, message: Message) -> None:
        """Have a message delivered that no node sent, if its receiver lives here."""
        if node_id in self.nodes:
            self.hand(node_id, message)

    def restart(self, node_id: NodeId, before: int) -> None:
        """Start a node that was dropped, once its loss is on disk: its new life must not build on what may vanish."""
        if node_id in self._unsettled:
            self._awaited[node_id] = before
        else:
            self.start(node_id, incarnation=before)

    def keep(self, node_id: NodeId, record: Record) -> None:
        """See `Loop.keep`: the node's log on disk gets it too."""
        self._disk.write(node_id, [record], lambda _: None)

    def publish(self, node: NodeId, event: Event) -> None:
        """See `Loop.publish`: journalled here, and copied to the observer at the turn's end."""
        time_ns = self.now_ns + self.origin_ns
        self._journal.write(time_ns, node, event)
        self.observer.note(time_ns, node, event)
