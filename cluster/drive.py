"""The shared step of both fabrics: run a handler, then carry out what it asked for, in order.

`DrivenNode` is the `Node` that an actor sees. It records sends, events and saves while a handler runs; `carry_out`
hands the saves to the disk as one record, and lets the rest leave once every save so far is durable (the barrier).
A fast loop may skip `carry_out` for a node that is not `dirty`: then its `effects` can leave as they are.
"""

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

from actors.message import Event, Message, NodeId
from actors.node import Actor, Stored
from cluster.ailment import HEALTHY, Ailment
from cluster.clock import Clock
from cluster.disk import Disk
from cluster.network import Link
from cluster.streams import stream

EVENT = -1
"""Stands where an effect's receiver stands, if the effect is an event for observers."""

Effect = tuple[NodeId, Message | Event]

WALL_CLOCK_AT_START_NS = 1_700_000_000_000_000_000  # of every simulated run: a date is part of what must repeat


class World(Protocol):
    """What the loop does for its nodes."""

    now_ns: int  # since the start of the run

    def push_timer(self, due_ns: int, node: NodeId, name: str) -> None: ...

    def start_sync(self, node: "DrivenNode") -> None: ...

    def start_ailing_sync(self, node: "DrivenNode") -> None: ...

    def release(self, node: "DrivenNode", effects: list[Effect]) -> None:
        """Let sends and events leave, in order."""


class DrivenNode:
    """One node from a start to its crash. A restart makes a new one on the same disk."""

    __slots__ = (
        "_deadlines",
        "_held",
        "_record",
        "_scheduled",
        "_seed",
        "_streams",
        "_unsaved",
        "actor",
        "ailment",
        "clock",
        "dirty",
        "disk",
        "effects",
        "gated",
        "handlers",
        "id",
        "incarnation",
        "links",
        "mailbox",
        "paused",
        "peers",
        "regions",
        "serving",
        "timers",
        "world",
    )

    actor: Actor

    def __init__(
        self,
        world: World,
        node_id: NodeId,
        *,
        incarnation: int,
        peers: Sequence[NodeId],
        regions: Sequence[str],
        seed: int,
        disk: Disk,
    ) -> None:
        self.world = world
        self.id = node_id
        self.incarnation = incarnation
        self.peers = peers
        self.regions = regions
        self.disk = disk
        self.paused = False
        self.gated = False  # what arrives goes to the mailbox first: a pause, or a CPU that takes its time
        self.serving = False  # the CPU works on the first in the mailbox
        self.mailbox: deque[tuple[int, NodeId, Any]] = deque()  # what waits: (kind, sender, what)
        self.effects: list[Effect] = []  # what handlers asked for since the last `carry_out`
        self.ailment = HEALTHY
        self.clock: Clock | None = None  # of its own, once a fault works on it
        self.dirty = False  # there is something for the disk or sent beside it, or the disk is behind
        self.links: dict[NodeId, Link] = {}  # its own that were used so far, by receiver; {} if a NIC comes before them
        self._seed = seed
        self._streams: dict[str, Random] = {}
        self._deadlines: dict[str, int] = {}
        self._scheduled: dict[str, int] = {}  # the one wake-up in the loop's heap that counts, by timer
        self._unsaved: list[Effect] = []
        self._record: list[tuple[Any, ...]] = []
        self._held: list[tuple[int, list[Effect]]] = []  # (mark that must be durable, effects)

    def attach(self, actor: Actor) -> None:
        """Take an actor in and start it."""
        self.actor = actor
        self.handlers = actor.handlers
        self.timers = actor.timers
        actor.start()
        self.carry_out()

    # the node API

    def now_ns(self) -> int:
        now_ns = self.world.now_ns
        return WALL_CLOCK_AT_START_NS + (now_ns if self.clock is None else self.clock.wall(now_ns))

    def monotonic_ns(self) -> int:
        now_ns = self.world.now_ns
        return now_ns if self.clock is None else self.clock.monotonic(now_ns)

    def fails(self, point: str) -> bool:
        if not self.ailment.points:
            return False
        return any(
            name == point and self.random(f"point {name}").random() < share for name, share in self.ailment.points
        )

    def random(self, name: str) -> Random:
        found = self._streams.get(name)
        if found is None:
            found = self._streams[name] = stream(self._seed, "node", self.id, name, self.incarnation)
        return found

    def send(self, to: NodeId, message: Message) -> None:
        self.effects.append((to, message))

    def send_unsaved(self, to: NodeId, message: Message) -> None:
        self.dirty = True
        self._unsaved.append((to, message))

    def emit(self, event: Event) -> None:
        self.effects.append((EVENT, event))

    def save(self, **facts: Any) -> None:
        self.dirty = True
        self._record.append(("save", facts))

    def append(self, log: str, items: Sequence[Any]) -> None:
        self.dirty = True
        self._record.append(("append", log, tuple(items)))

    def cut(self, log: str, length: int) -> None:
        self.dirty = True
        self._record.append(("cut", log, length))

    def snapshot(self, state: Any, *, log: str, drop: int) -> None:
        self.dirty = True
        self._record.append(("snapshot", state, log, drop))

    def load(self) -> Stored:
        return self.disk.load()

    def set_timer(self, name: str, after_ns: int) -> None:
        deadline = self.world.now_ns + (after_ns if self.clock is None else self.clock.true_ns(after_ns))
        self._deadlines[name] = deadline
        scheduled = self._scheduled.get(name)
        if scheduled is None or scheduled > deadline:
            self._scheduled[name] = deadline
            self.world.push_timer(deadline, self.id, name)

    def cancel_timer(self, name: str) -> None:
        self._deadlines.pop(name, None)

    # the loop's side

    def deadlines(self) -> dict[str, int]:
        """When each timer that is set fires, in ns of the run."""
        return dict(sorted(self._deadlines.items()))

    def timer_due(self, name: str, scheduled_ns: int) -> bool:
        """Whether a wake-up means that the timer fires now; one that was put off is scheduled anew."""
        if self._scheduled.get(name) != scheduled_ns:
            return False  # an earlier wake-up took this one's place
        del self._scheduled[name]
        deadline = self._deadlines.get(name)
        if deadline is None:
            return False
        if deadline > self.world.now_ns:
            self._scheduled[name] = deadline
            self.world.push_timer(deadline, self.id, name)
            return False
        del self._deadlines[name]
        return True

    def carry_out(self) -> None:
        """Do what the handlers since the last call asked for: saves as one record, then sends and events."""
        disk, effects = self.disk, self.effects
        if self._unsaved:
            self.world.release(self, self._unsaved)
            self._unsaved.clear()
        if self._record:
            disk.write(tuple(self._record))
            self._record.clear()
            if not disk.syncing:
                self.begin_sync()
        self.dirty = disk.asked > disk.durable
        if not effects:
            return
        if self.dirty:
            self._held.append((disk.asked, effects))
            self.effects = []
        else:
            self.world.release(self, effects)
            effects.clear()

    def begin_sync(self) -> None:
        """Have the disk make durable what was written, as it is able to."""
        if self.ailment is HEALTHY:
            self.world.start_sync(self)
        else:
            self.world.start_ailing_sync(self)

    def ail(self, ailment: Ailment) -> None:
        """This is what ails the node from now on."""
        if self.clock is None and (ailment.clock_ppm or ailment.clock_offset_ns or ailment.clock_stands):
            self.clock = Clock()
        if self.clock is not None:
            self.clock.change(self.world.now_ns, ailment)
        self.ailment = HEALTHY if ailment == HEALTHY else ailment
        if self.disk.asked > self.disk.durable and not self.disk.syncing:
            self.begin_sync()

    def sync_done(self, mark: int) -> None:
        """A sync has ended: begin the next if more was written meanwhile, and let go what waited for this one."""
        disk, held = self.disk, self._held
        disk.end_sync(mark)
        self.dirty = disk.asked > mark
        if self.dirty:
            self.begin_sync()
        while held and held[0][0] <= mark:
            self.world.release(self, held.pop(0)[1])
