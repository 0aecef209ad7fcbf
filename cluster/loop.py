"""The loop that runs nodes: one heap of what is due, the same for a virtual and for a real clock.

A fabric's loop sets `now_ns`, takes entries off the heap when their time has come and hands them to `handle`. What
differs between the fabrics stands in three methods: where a message goes (`forward`), how a sync ends
(`start_sync`), and who is told of an event (`publish`).
"""

import heapq
from abc import ABC, abstractmethod
from itertools import count
from random import Random
from typing import Any, TypeAlias

from actors.message import Event, Message, NodeId
from actors.node import Node, Stored
from cluster.ailment import HEALTHY, Ailment
from cluster.control import LinkRule
from cluster.cpu import size_bytes
from cluster.disk import Damage, Disk, Misread, Record, apply_record, damage_done
from cluster.drive import EVENT, DrivenNode, Effect
from cluster.fabric import Setup
from cluster.journal import (
    NOBODY,
    DiskFailed,
    FaultTouched,
    Journal,
    MessageSent,
    NodePaused,
    NodeResumed,
    NodeStarted,
    NodeStopped,
    ServerLoad,
    Traffic,
)
from cluster.latency import profile_of
from cluster.network import Network
from cluster.nic import Nics
from cluster.streams import stream

DELIVER, TIMER, SYNCED, SERVED, DETOURS, CALL, STOP, FAIL = range(8)

Due: TypeAlias = tuple[int, int, int, NodeId, int, Any]
"""(time ns, number, kind, node, sender or the wake-up's time, what). What: a message, a timer's name, a sync's
(incarnation, mark), or of a node whose CPU is through with a message the incarnation."""


class Loop(ABC):
    """Runs some of a setup's nodes."""

    def __init__(self, setup: Setup, host: str) -> None:
        self.setup = setup
        self.host = host
        self.now_ns = 0
        self.nodes: dict[NodeId, DrivenNode] = {}
        self.heap: list[Due] = []
        self.number = count(1).__next__  # entries that fall due at one moment keep the order in which they were made
        self.ailments: dict[NodeId, Ailment] = {}
        self.damages: dict[NodeId, Damage] = {}  # what is done to disks before their nodes start
        self.sent = self.dropped = self.delivered = 0
        self.touched: dict[NodeId, DrivenNode] | None = None  # whose effects the fabric's loop carries out itself
        self.origin_ns = 0  # the clock of the journals at the run's start
        self.messages_to: Journal | None = None  # where messages are recorded, if they are
        self.network = Network(
            setup.topology,
            profile_of(setup.latency),
            seed=setup.seed,
            inside_region_rtt_ns=setup.inside_region_rtt_ns,
        )
        self._nics = None if setup.nic is None else Nics(setup.nic)
        self._busy_ns: dict[NodeId, int] = {}
        self._queue_max: dict[NodeId, int] = {}
        self._incarnations: dict[NodeId, int] = {}
        self._disks: dict[NodeId, Stored] = {}
        self._plan_detours()

    # what differs between the fabrics

    @abstractmethod
    def forward(self, due_ns: int, source: NodeId, target: NodeId, message: Message) -> None:
        """Bring a message to its receiver's loop, to be delivered at `due_ns`."""

    @abstractmethod
    def start_sync(self, node: DrivenNode) -> None:
        """Begin a sync of the node's disk; a SYNCED entry with its mark tells the end."""

    @abstractmethod
    def publish(self, node: NodeId, event: Event) -> None:
        """Journal an event and tell whoever watches."""

    # nodes

    def start(self, node_id: NodeId, image: Stored | None = None, incarnation: int | None = None) -> None:
        """Start a node on its disk; the loop remembers both, unless the caller knows better."""
        if incarnation is None:
            incarnation = self._incarnations.get(node_id, -1) + 1
        self._incarnations[node_id] = incarnation
        found = image if image is not None else self._disks.get(node_id) or Stored()
        disk = self._disk_of(node_id, incarnation, found)
        spec, topology = self.setup.actors[node_id], self.setup.topology
        node = DrivenNode(
            self,
            node_id,
            incarnation=incarnation,
            peers=topology.servers,
            regions=topology.regions,
            seed=self.setup.seed,
            disk=disk,
        )
        if self._nics is None:
            node.links = self.network.links_from(node_id)
        node.gated = self.has_cpu(node_id)
        self.nodes[node_id] = node
        node.ail(self.ailments.get(node_id, HEALTHY))
        self.publish(node_id, NodeStarted(incarnation, self.host))
        node.attach(spec.kind(self.node_api(node), spec.settings))

    def node_api(self, node: DrivenNode) -> Node:
        """What the node's actor is handed: the node, unless somebody wants to see its calls."""
        return node

    def crash(self, node_id: NodeId) -> None:
        """Drop a node: what it held in memory, had not sent or not synced is gone."""
        node = self.nodes.pop(node_id, None)
        if node is None:
            return  # it has stopped by itself
        self._disks[node_id] = node.disk.crash(self.crash_draw(node))
        self.publish(node_id, NodeStopped())

    def crash_draw(self, node: DrivenNode) -> Random:
        """Decides how much of what a crashing node had not synced its disk has kept."""
        return stream(self.setup.seed, "disk", node.id, node.incarnation)

    def pause(self, node_id: NodeId) -> None:
        """Close a node's gate."""
        node = self.nodes.get(node_id)
        if node is not None and not node.paused:
            node.paused = node.gated = True
            self.publish(node_id, NodePaused())

    def resume(self, node_id: NodeId) -> None:
        """Open the gate: what waited is handled now, in the order of its arrival."""
        node = self.nodes.get(node_id)
        if node is None or not node.paused:
            return
        node.paused = False
        self.regate(node)
        self.publish(node_id, NodeResumed())
        if node.gated:
            if not node.serving:
                self._serve(node)
            return
        for kind, sender, what in node.mailbox:
            self.push(self.now_ns, kind, node_id, sender, what)
        node.mailbox.clear()

    def has_cpu(self, node_id: NodeId) -> bool:
        """Whether handling takes a node time: by the CPU model, or since it ails."""
        if self.ailments.get(node_id, HEALTHY).cpu_extra_ns:
            return True
        return self.setup.cpu is not None and node_id < self.setup.topology.server_count

    def regate(self, node: DrivenNode) -> None:
        """Close or open a node's gate as its pause and its CPU say; what waits keeps its turn."""
        node.gated = node.paused or self.has_cpu(node.id) or node.serving

    # what faults do to nodes and links

    def _disk_of(self, node_id: NodeId, incarnation: int, image: Stored) -> Disk:
        """A node's disk, with what a fault did to it while the node was down."""
        damage = self.damages.pop(node_id, None)
        if damage is None:
            return Disk(image)
        draw = stream(self.setup.seed, "damage", node_id, incarnation)
        done = damage_done(image, damage, draw)
        if done:
            apply_record(image, done)
            self.keep(node_id, done)
        return Misread(image, draw) if damage == "misdirected" else Disk(image)

    def keep(self, node_id: NodeId, record: Record) -> None:
        """Make a record last that no node wrote; the loop's image of the disk holds it already, and may be all."""
        return

    def change_ailments(self, ailments: dict[NodeId, Ailment]) -> None:
        """This is what ails these nodes from now on, through restarts too."""
        self.ailments.update(ailments)
        for node_id, ailment in ailments.items():
            node = self.nodes.get(node_id)
            if node is not None:
                node.ail(ailment)
                self.regate(node)

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        """Let exactly these rules lie over the links, and tell what those that are lifted did."""
        self.network.apply_rules(rules)
        for injection, messages in self.network.settled():
            self.publish(NOBODY, FaultTouched(injection, messages))

    def traffic(self) -> Traffic:
        """What this loop's nodes sent and got."""
        return Traffic(self.sent, self.dropped, self.delivered, 0)

    def tell_loads(self) -> None:
        """Record what the modelled CPUs did since the last time."""
        for node in sorted(self._queue_max):
            self.publish(node, ServerLoad(self._busy_ns.get(node, 0), self._queue_max[node]))
        self._busy_ns.clear()
        self._queue_max.clear()

    # the heap

    def push(self, due_ns: int, kind: int, node: NodeId, sender: int, what: Any) -> None:
        heapq.heappush(self.heap, (due_ns, self.number(), kind, node, sender, what))

    def push_timer(self, due_ns: int, node: NodeId, name: str) -> None:
        heapq.heappush(self.heap, (due_ns, self.number(), TIMER, node, due_ns, name))

    def _plan_detours(self) -> None:
        due_ns = self.network.next_detours_ns(self.now_ns)
        if due_ns is not None:
            self.push(due_ns, DETOURS, NOBODY, NOBODY, None)

    # what leaves nodes

    def release(self, node: DrivenNode, effects: list[Effect]) -> None:
        """See `cluster.drive.World`."""
        for to, what in effects:
            if to == EVENT:
                self.publish(node.id, what)  # type: ignore[arg-type]
            else:
                self.transmit(node.id, to, what)  # type: ignore[arg-type]

    def hand(self, target: NodeId, message: Message) -> None:
        """Have a message delivered at once that no node sent."""
        self.push(self.now_ns, DELIVER, target, NOBODY, message)

    def transmit(self, source: NodeId, target: NodeId, message: Message) -> None:
        """Send through the link model; to itself: at once, behind what has arrived."""
        self.sent += 1
        if source == target:
            self.push(self.now_ns, DELIVER, target, source, message)
            return
        leaves_ns = self.now_ns
        if self._nics is not None and source < self.setup.topology.server_count:
            leaves_ns = self._nics.leaves_ns(source, message, leaves_ns)
        self.forward_all(self.network.link(source, target).pass_(leaves_ns, message), source, target, message)

    def forward_all(self, dues_ns: tuple[int, ...], source: NodeId, target: NodeId, message: Message) -> None:
        """Bring a message to its receiver's loop as often as its link says: never, once, or twice."""
        if self.messages_to is not None:
            sent = MessageSent(target, type(message).__name__, size_bytes(message), dues_ns)
            self.messages_to.write(self.now_ns + self.origin_ns, source, sent)
        if not dues_ns:
            self.dropped += 1
        for due_ns in dues_ns:
            self.forward(due_ns, source, target, message)

    # what is due

    def handle(self, kind: int, node_id: NodeId, sender: int, what: Any) -> bool:
        """Hand one due entry to its node; False if nothing came of it."""
        node = self.nodes.get(node_id)
        if node is None:
            self.dropped += kind == DELIVER
            if kind == DETOURS:
                self.network.take_detours(self.now_ns)
                self._plan_detours()
            return False
        if kind == SYNCED:
            return self._sync_done(node, what)
        if kind == SERVED:
            return self._served(node, incarnation=what)
        if kind == FAIL:
            return self._fail(node, what)
        if node.gated:
            self._queue(node, kind, sender, what)
            return False
        return self._dispatch(node, kind, sender, what)

    def _dispatch(self, node: DrivenNode, kind: int, sender: int, what: Any) -> bool:
        """Let the node's actor handle a message or a timer."""
        if kind == DELIVER:
            self.delivered += 1
            node.handlers[type(what)](node.actor, sender, what)
        elif node.timer_due(what, sender):
            node.timers[what](node.actor)
        else:
            return False
        if self.touched is None:
            node.carry_out()
        else:
            self.touched[node.id] = node
        return True

    def _sync_done(self, node: DrivenNode, what: tuple[int, int]) -> bool:
        """A sync has ended, unless it was an earlier incarnation's."""
        incarnation, mark = what
        if incarnation != node.incarnation:
            return False
        node.sync_done(mark)
        return True

    def sync_ns(self, node: DrivenNode) -> int:
        """How long a sync of the node's disk takes by the model, if it begins now."""
        model = self.setup.disk
        took_ns = model.fsync_ns + node.ailment.fsync_extra_ns
        if model.throughput_bytes_s is not None:
            took_ns += size_bytes(node.disk.unsynced()) * 1_000_000_000 // model.throughput_bytes_s
        return took_ns

    def start_ailing_sync(self, node: DrivenNode) -> None:
        """Begin a sync on a disk that ails: it may fail, lie, tear or have to wait until the ailment is over."""
        ailment, disk = node.ailment, node.disk
        end_ns = self.now_ns + self.sync_ns(node)
        if ailment.no_writes or (ailment.no_appends and disk.grows()):
            return
        if ailment.tears_write or ailment.fsync_fails:
            if ailment.tears_write and (half := disk.tear()):
                self.keep(node.id, half)
            disk.begin_sync()
            reason = "a write was torn" if ailment.tears_write else "fsync failed"
            self.push(end_ns, FAIL, node.id, node.id, (node.incarnation, reason))
        elif ailment.fsync_lies:
            mark = disk.begin_sync()
            disk.lying = True
            self.push(end_ns, SYNCED, node.id, node.id, (node.incarnation, mark))
        else:
            self.start_sync(node)

    def _fail(self, node: DrivenNode, what: tuple[int, str]) -> bool:
        """The node can't trust its disk any more, and stops."""
        incarnation, reason = what
        if incarnation != node.incarnation:
            return False
        self.publish(node.id, DiskFailed(reason))
        self.crash(node.id)
        return True

    # the CPU: one after another

    def _queue(self, node: DrivenNode, kind: int, sender: int, what: Any) -> None:
        """Let a message or a timer wait, if there is room for it, and an idle CPU begin."""
        if kind == DELIVER and node.ailment.inbox and len(node.mailbox) >= node.ailment.inbox:
            self.dropped += 1
            return
        node.mailbox.append((kind, sender, what))
        if self.setup.cpu is not None:
            self._queue_max[node.id] = max(self._queue_max.get(node.id, 0), len(node.mailbox))
        if not (node.paused or node.serving):
            self._serve(node)

    def _serve(self, node: DrivenNode) -> None:
        """Let an idle CPU begin with the first message in its mailbox; timers before it cost nothing."""
        while node.mailbox:
            kind, sender, what = node.mailbox[0]
            if kind == DELIVER:
                node.serving = True
                service_ns = node.ailment.cpu_extra_ns + (self.setup.cpu.service_ns(what) if self.setup.cpu else 0)
                self._busy_ns[node.id] = self._busy_ns.get(node.id, 0) + service_ns
                self.push(self.now_ns + service_ns, SERVED, node.id, node.id, node.incarnation)
                return
            node.mailbox.popleft()
            self._dispatch(node, kind, sender, what)
        self.regate(node)

    def _served(self, node: DrivenNode, *, incarnation: int) -> bool:
        """The CPU is through with a message: handle it now, and begin with the next. Work is lost to a pause."""
        if incarnation != node.incarnation:
            return False
        node.serving = False
        if node.paused:
            return False
        handled = self._dispatch(node, *node.mailbox.popleft())
        self._serve(node)
        return handled
