"""Clients: a pool of processes in one region that run a workload's operations and tell its history.

Each pool is a node; each of its processes has at most one operation open. Without a rate a process starts its next
operation when the last one ended (a closed loop); with a rate operations arrive at random, and an arrival waits
for a free process (an open loop).
"""

import random
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import msgspec

from actors import errors
from actors.draws import exponential
from actors.history import Abandoned, Invoke, Return
from actors.message import Message, NodeId, Value
from actors.node import Actor, Node
from actors.settings import MS, SECOND, DurationNs, Rate, Settings

NOBODY: NodeId = -1


class Command(Message, frozen=True):
    """What a client wants done. (process, serial) names it for good, however often it arrives."""

    process: int
    serial: int  # counts up within a process
    function: str
    key: str
    value: Value


class Request(Message, frozen=True):
    """A client asks a server to carry out a command."""

    command: Command


class Reply(Message, frozen=True):
    """The answer to a command: its value, or the name of a row of `actors.errors.ERRORS`."""

    process: int
    serial: int
    error: str | None
    value: Value


class Redirect(Message, frozen=True):
    """This server did not take the command; ask the one named, if one is known. Definitely not carried out."""

    process: int
    serial: int
    leader: NodeId | None


class Call(NamedTuple):
    """An operation that a workload wants next."""

    function: str
    key: str
    value: Value


class Workload(Settings, frozen=True):
    """What clients do. Concrete workloads add their fields and `call`."""

    model: ClassVar[str] = "kv"  # what a linearizability checker holds its history against
    functions: ClassVar[tuple[str, ...]] = ()

    clients: int = 10  # processes in all, dealt to the regions in turn
    rate: Rate | None = None  # operations a second of the whole workload; without it the loop is closed
    timeout_ns: DurationNs = 2 * SECOND
    retry_pause_ns: DurationNs = 50 * MS  # before asking again when nobody knew the leader

    def call(self, rng: random.Random, unique: int, seen: Mapping[str, Value]) -> Call:
        """The next operation. `unique` is a number never given before in this run; `seen`: the last value by key."""
        raise NotImplementedError

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = []
        if self.clients < 1:
            found.append(("clients", "at least 1 client is needed"))
        if self.rate is not None and self.rate <= 0:
            found.append(("rate", "a rate must be above 0; leave it out for a closed loop"))
        if self.timeout_ns <= 0:
            found.append(("timeout_ns", "a time-out must be above 0"))
        if self.retry_pause_ns <= 0:
            found.append(("retry_pause_ns", "a pause must be above 0"))
        return found


class ClientSettings(Settings, frozen=True):
    """One pool: its share of a workload."""

    name: str  # the workload's, as the file calls it
    workload: Workload
    processes: tuple[int, ...]  # this pool's process numbers
    first_fresh: int  # process numbers from here on replace those lost to an info
    pool: int  # 0..pools-1
    pools: int
    stop_after_ns: int  # no operation starts later than this after the start


class Slot(msgspec.Struct):
    """One process of the pool and the operation that it has open."""

    process: int
    serial: int = 0
    open: Command | None = None
    target: NodeId = NOBODY  # whom it was sent to last; NOBODY once that server refused


class Client(Actor):
    """A pool of client processes. It follows redirects, and gives up after the workload's time-out."""

    settings_type = ClientSettings
    volatile: ClassVar = {
        "slots": list[Slot],
        "leader": NodeId | None,
        "silent": NodeId,
        "issued": int,
        "fresh": int,
        "seen": dict[str, Value],
        "backlog": list[int],
        "deadlines": list[tuple[int, int, int]],
        "pauses": list[tuple[int, int, int]],
    }

    def __init__(self, node: Node, settings: ClientSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.slots = [Slot(process) for process in settings.processes]
        self.leader: NodeId | None = None
        self.silent: NodeId = NOBODY  # the server that let an operation time out last
        self.issued = 0
        self.fresh = settings.first_fresh + settings.pool
        self.seen: dict[str, Value] = {}
        self.backlog: list[int] = []  # intended times of arrivals that no process was free for
        self.deadlines: list[tuple[int, int, int]] = []  # (time, slot, serial), in order: one time-out for all
        self.pauses: list[tuple[int, int, int]] = []

    def start(self) -> None:
        """Begin the workload: all processes at once, or the first arrival."""
        self.stop_ns = self.node.monotonic_ns() + self.settings.stop_after_ns
        self.calls = self.node.random("calls")
        self.routes = self.node.random("routes")
        self.arrivals = self.node.random("arrivals")
        near = self.node.regions[self.node.id]
        self.servers = list(self.node.peers)
        self.near = [peer for peer in self.servers if self.node.regions[peer] == near] or self.servers
        if self.settings.workload.rate is None:
            now = self.node.monotonic_ns()
            for slot in range(len(self.slots)):
                self.begin(slot, now)
        else:
            self.schedule_arrival()

    # operations

    def schedule_arrival(self) -> None:
        """Poisson arrivals at this pool's share of the workload's rate."""
        workload = self.settings.workload
        assert workload.rate is not None
        share = workload.rate * len(self.slots) / workload.clients
        self.node.set_timer("arrival", max(1, int(exponential(self.arrivals) * SECOND / share)))

    def on_arrival(self) -> None:
        """An operation of an open loop is due: start it, or let it wait for a free process."""
        now = self.node.monotonic_ns()
        if now >= self.stop_ns:
            self.abandon(self.stop_ns)
            return
        self.schedule_arrival()
        idle = next((number for number, slot in enumerate(self.slots) if slot.open is None), None)
        if idle is None:
            self.backlog.append(now)
        else:
            self.begin(idle, now)

    def begin(self, number: int, intended_ns: int) -> None:
        """Invoke the workload's next operation on an idle process."""
        now = self.node.monotonic_ns()
        if now >= self.stop_ns:
            return
        slot = self.slots[number]
        settings = self.settings
        call = self.next_call(slot)
        self.issued += 1
        slot.serial += 1
        slot.open = Command(slot.process, slot.serial, call.function, call.key, call.value)
        self.node.emit(Invoke(slot.process, settings.name, call.function, call.key, call.value, intended_ns))
        self.ask(slot, self.route(self.near))
        self.deadlines.append((now + settings.workload.timeout_ns, number, slot.serial))
        if len(self.deadlines) == 1:
            self.node.set_timer("deadline", settings.workload.timeout_ns)

    def next_call(self, slot: Slot) -> Call:
        """What the workload wants of an idle process."""
        settings = self.settings
        unique = self.issued * settings.pools + settings.pool + 1
        return settings.workload.call(self.calls, unique, self.seen)

    def route(self, servers: list[NodeId]) -> NodeId:
        """Whom to ask: the leader if known, else one of these servers, but not one that was silent."""
        if self.leader is not None:
            return self.leader
        awake = [server for server in servers if server != self.silent]
        return self.routes.choice(awake or self.servers)

    def ask(self, slot: Slot, target: NodeId) -> None:
        """Send the open operation of a process to a server."""
        assert slot.open is not None
        slot.target = target
        self.node.send(target, Request(slot.open))

    def end(self, slot: Slot, error: str | None, value: Value) -> None:
        """Tell the history; then the process goes on, under a new number if its old one may still act."""
        assert slot.open is not None
        outcome = errors.outcome_of(error)
        self.node.emit(Return(slot.process, outcome, value, error))
        if outcome != "info" and not isinstance(value, tuple):
            self.seen[slot.open.key] = value
        slot.open = None
        if outcome == "info":
            slot.process, slot.serial = self.fresh, 0
            self.fresh += self.settings.pools
        if self.settings.workload.rate is None:
            self.begin(self.slots.index(slot), self.node.monotonic_ns())
            return
        self.abandon(self.node.monotonic_ns() - self.settings.workload.timeout_ns)
        if self.backlog:
            self.begin(self.slots.index(slot), self.backlog.pop(0))

    def abandon(self, before_ns: int) -> None:
        """Give up on arrivals that have waited since before that time."""
        while self.backlog and self.backlog[0] < before_ns:
            self.node.emit(Abandoned(self.settings.name, self.backlog.pop(0)))

    def slot_of(self, process: int, serial: int) -> Slot | None:
        """The process that has this operation open; None if it ended before."""
        for slot in self.slots:
            if slot.process == process and slot.serial == serial and slot.open is not None:
                return slot
        return None

    # messages and timers

    def on_reply(self, server: NodeId, reply: Reply) -> None:
        """The operation is over."""
        slot = self.slot_of(reply.process, reply.serial)
        if slot is not None:
            if reply.error is None:
                self.leader = server
            self.end(slot, reply.error, reply.value)

    def on_redirect(self, server: NodeId, redirect: Redirect) -> None:
        """Ask the leader named, or after a pause anybody."""
        slot = self.slot_of(redirect.process, redirect.serial)
        if slot is None or slot.target != server:
            return
        if redirect.leader is not None and redirect.leader != server:
            self.leader = redirect.leader
            self.ask(slot, redirect.leader)
            return
        if self.leader == server:
            self.leader = None
        pause_ns = self.settings.workload.retry_pause_ns
        slot.target = NOBODY
        self.pauses.append((self.node.monotonic_ns() + pause_ns, self.slots.index(slot), slot.serial))
        if len(self.pauses) == 1:
            self.node.set_timer("pause", pause_ns)

    def on_pause(self) -> None:
        """Pauses are over: ask again, the leader that others found or any server."""
        for number, serial in self.due(self.pauses, "pause"):
            slot = self.slots[number]
            if slot.open is not None and slot.serial == serial:
                self.ask(slot, self.route(self.servers))

    def on_deadline(self) -> None:
        """Give up on operations without an answer; go elsewhere than to the silent server first."""
        for number, serial in self.due(self.deadlines, "deadline"):
            slot = self.slots[number]
            if slot.open is None or slot.serial != serial:
                continue
            if slot.target != NOBODY:
                self.silent = slot.target
                if self.leader == slot.target:
                    self.leader = None
            self.end(slot, "no-leader" if slot.target == NOBODY else "timed-out", None)

    def due(self, waiting: list[tuple[int, int, int]], timer: str) -> list[tuple[int, int]]:
        """Take what is due off a queue in order of time, and set its timer for the rest."""
        now = self.node.monotonic_ns()
        over = []
        while waiting and waiting[0][0] <= now:
            _, number, serial = waiting.pop(0)
            over.append((number, serial))
        if waiting:
            self.node.set_timer(timer, waiting[0][0] - now)
        return over

    handlers: ClassVar = {Reply: on_reply, Redirect: on_redirect}
    timers: ClassVar = {"arrival": on_arrival, "deadline": on_deadline, "pause": on_pause}
    events: ClassVar = (Invoke, Return, Abandoned)
