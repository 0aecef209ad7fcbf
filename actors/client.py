"""Clients: a pool of processes in one region that run a workload's operations and tell its history.

Each pool is a node; each of its processes has at most one operation open. Without a rate a process starts its next
operation when the last one ended (a closed loop); with a rate operations arrive at random, and an arrival waits
for a free process (an open loop).
"""

from bisect import insort
from typing import ClassVar

import msgspec

from actors import errors
from actors.draws import exponential
from actors.history import Abandoned, Invoke, Retried, Return
from actors.load import Backlog, Load
from actors.message import Message, NodeId, Value
from actors.node import Actor, Node
from actors.settings import SECOND, Settings
from actors.workload import Call, Workload

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


class ClientSettings(Settings, frozen=True):
    """One pool: its share of a workload."""

    name: str  # the workload's, as the file calls it
    workload: Workload
    processes: tuple[int, ...]  # this pool's process numbers
    first_fresh: int  # process numbers from here on replace those lost to an info
    pool: int  # 0..pools-1, counted over all workloads
    pools: int
    stop_after_ns: int  # no operation starts later than this after the start
    prefix: str = ""  # of this workload's keys, where several workloads share a system


class Slot(msgspec.Struct):
    """One process of the pool and the operation that it has open."""

    process: int
    serial: int = 0
    open: Command | None = None
    target: NodeId = NOBODY  # whom it was sent to last; NOBODY once that server refused
    resting: bool = False  # it takes its time after an operation, as a load fault says
    attempts: int = 0  # how often it was sent for want of an answer


class Client(Actor):
    """A pool of client processes. It follows redirects, and gives up after the workload's time-out."""

    settings_type = ClientSettings
    functions: ClassVar[tuple[str, ...]] = ()  # what it can ask for; (): whatever the workload says
    volatile: ClassVar = {
        "load": Load,
        "slots": list[Slot],
        "leader": NodeId | None,
        "silent": NodeId,
        "issued": int,
        "fresh": int,
        "seen": dict[str, Value],
        "backlog": list[int],
        "deadlines": list[tuple[int, int, int]],
        "pauses": list[tuple[int, int, int]],
        "retries": list[tuple[int, int, int]],
        "rests": list[tuple[int, int, int]],
        "started_ns": int,
        "stop_ns": int,
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
        self.retries: list[tuple[int, int, int]] = []
        self.rests: list[tuple[int, int, int]] = []
        self.load = Load()
        self.started_ns = self.stop_ns = 0
        self.calls, self.routes, self.arrivals, self.waits = map(node.random, ("calls", "routes", "arrivals", "waits"))
        self.hot = node.random("hot key")
        self.servers = list(node.peers)
        region = node.regions[node.id]
        self.near = [peer for peer in self.servers if node.regions[peer] == region] or self.servers

    def start(self) -> None:
        """Begin the workload: all processes at once, or the first arrival."""
        now = self.started_ns = self.node.monotonic_ns()
        self.stop_ns = now + self.settings.stop_after_ns
        if not self.settings.workload.is_open:
            for slot in range(len(self.slots)):
                self.begin(slot, now)
        else:
            self.schedule_arrival()
            self.node.set_timer("stop", self.settings.stop_after_ns)

    # operations

    def schedule_arrival(self) -> None:
        """Poisson arrivals at this pool's share of the workload's rate.

        Poisson arrivals have no memory, so where a phase ends first the next arrival is drawn anew from there.
        """
        workload, since_ns = self.settings.workload, self.node.monotonic_ns() - self.started_ns
        rate, phase_end_ns = workload.rate_at(since_ns)
        share = rate * self.load.rate_factor * len(self.slots) / workload.clients
        wait_ns = max(1, int(exponential(self.arrivals) * SECOND / share))
        if phase_end_ns is not None and since_ns + wait_ns >= phase_end_ns:
            self.node.set_timer("phase", phase_end_ns - since_ns)
        else:
            self.node.set_timer("arrival", wait_ns)

    def on_arrival(self) -> None:
        """An operation of an open loop is due: start it, or let it wait for a free process."""
        now = self.node.monotonic_ns()
        if now >= self.stop_ns:
            return
        self.schedule_arrival()
        free = (number for number, slot in enumerate(self.slots) if slot.open is None and not slot.resting)
        idle = next(free, None)
        if idle is None:
            self.backlog.append(now)
            if len(self.backlog) & (len(self.backlog) - 1) == 0:
                self.node.emit(Backlog(len(self.backlog)))
        else:
            self.begin(idle, now)

    def on_stop(self) -> None:
        """Nothing starts from now on: what still waits for a free process is given up, and counts as not answered."""
        self.abandon(self.stop_ns)

    def begin(self, number: int, intended_ns: int) -> None:
        """Invoke the workload's next operation on an idle process."""
        now = self.node.monotonic_ns()
        if now >= self.stop_ns:
            return
        slot = self.slots[number]
        settings = self.settings
        call = self.next_call(slot)
        hot = self.load.hot_share and self.hot.random() < self.load.hot_share
        key = settings.prefix + (self.load.hot_key or call.key if hot else call.key)
        self.issued += 1
        slot.serial += 1
        slot.attempts = 1
        slot.open = Command(slot.process, slot.serial, call.function, key, call.value)
        self.node.emit(Invoke(slot.process, settings.name, call.function, key, call.value, intended_ns))
        self.ask(slot, self.near_server() if self.reads_near(slot.open) else self.route(self.near))
        self.deadlines.append((now + settings.workload.timeout_ns, number, slot.serial))
        if len(self.deadlines) == 1:
            self.node.set_timer("deadline", settings.workload.timeout_ns)
        self.plan_retry(number)

    def next_call(self, slot: Slot) -> Call:
        """What the workload wants of an idle process."""
        unique = self.issued * self.settings.pools + self.settings.pool + 1
        return self.settings.workload.call(self.calls, unique, self.seen)

    def plan_retry(self, number: int) -> None:
        """Ask again after a while, if the policy allows one more attempt."""
        slot, policy = self.slots[number], self.settings.workload.retry
        if slot.attempts >= policy.attempts:
            return
        wait_ns = policy.after_ns
        for _ in range(1, slot.attempts):  # products are exact everywhere; a power's last bit is libm's
            wait_ns = int(wait_ns * policy.backoff)
        if policy.jitter:
            wait_ns += int(wait_ns * policy.jitter * self.waits.random())
        insort(self.retries, (self.node.monotonic_ns() + wait_ns, number, slot.serial))
        self.node.set_timer("retry", self.retries[0][0] - self.node.monotonic_ns())

    def on_retry(self) -> None:
        """No answer so far: ask another server than the silent one, under the same number."""
        for number, serial in self.due(self.retries, "retry"):
            slot = self.slots[number]
            if slot.open is None or slot.serial != serial:
                continue
            slot.attempts += 1
            self.node.emit(Retried(slot.process, slot.attempts))
            if slot.target != NOBODY:  # else it waits to ask for the leader again anyway
                self.shun(slot.target)
                self.ask(slot, self.route(self.servers))
            self.plan_retry(number)

    def shun(self, server: NodeId) -> None:
        """Go elsewhere first than to a server that did not answer."""
        self.silent = server
        if self.leader == server:
            self.leader = None

    def route(self, servers: list[NodeId]) -> NodeId:
        """Whom to ask: the leader if known, else one of these servers, but not one that was silent."""
        if self.leader is not None:
            return self.leader
        awake = [server for server in servers if server != self.silent]
        return self.routes.choice(awake or self.servers)

    def reads_near(self, command: Command) -> bool:
        """Whether this is a read that any server near the client may answer."""
        return self.settings.workload.read_at == "near" and command.function == "read"

    def near_server(self) -> NodeId:
        """A server of the client's region, but not one that was silent."""
        return self.routes.choice([server for server in self.near if server != self.silent] or self.near)

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
            self.seen[slot.open.key.removeprefix(self.settings.prefix)] = value
        slot.open = None
        if outcome == "info":
            slot.process, slot.serial = self.fresh, 0
            self.fresh += self.settings.pools
        number = self.slots.index(slot)
        if self.load.pause_ns:
            slot.resting = True
            insort(self.rests, (self.node.monotonic_ns() + self.load.pause_ns, number, slot.serial))
            self.node.set_timer("rest", self.rests[0][0] - self.node.monotonic_ns())
        else:
            self.go_on(number)

    def go_on(self, number: int) -> None:
        """A process is free: it takes the next operation of a closed loop, or the arrival that has waited longest."""
        now = self.node.monotonic_ns()
        if not self.settings.workload.is_open:
            self.begin(number, now)
            return
        self.abandon(self.stop_ns if now >= self.stop_ns else now - self.settings.workload.timeout_ns)
        if self.backlog:
            self.begin(number, self.backlog.pop(0))
            if not self.backlog:
                self.node.emit(Backlog(0))

    def on_rest(self) -> None:
        """Processes have taken their time."""
        for number, _ in self.due(self.rests, "rest"):
            self.slots[number].resting = False
            self.go_on(number)

    # load faults

    def on_load(self, _: NodeId, load: Load) -> None:
        """From now on clients do this, until they are told otherwise."""
        self.load = load
        if self.settings.workload.is_open and self.node.monotonic_ns() < self.stop_ns:
            self.schedule_arrival()  # arrivals have no memory: the next one is drawn anew
        if load.reconnect:
            self.leader = None
            self.ask_all_again()
        if load.retry_after_ns:
            self.node.set_timer("resend", load.retry_after_ns)
        else:
            self.node.cancel_timer("resend")

    def on_resend(self) -> None:
        """Retries that wait for no answer."""
        self.node.set_timer("resend", self.load.retry_after_ns)
        self.ask_all_again()

    def ask_all_again(self) -> None:
        """Send all that is open once more."""
        for slot in self.slots:
            if slot.open is not None:
                slot.attempts += 1
                self.node.emit(Retried(slot.process, slot.attempts))
                self.ask(slot, self.route(self.servers))

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
            if reply.error is None and slot.open is not None and not self.reads_near(slot.open):
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
                self.shun(slot.target)
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

    handlers: ClassVar = {Reply: on_reply, Redirect: on_redirect, Load: on_load}
    timers: ClassVar = {
        "arrival": on_arrival,
        "phase": schedule_arrival,
        "deadline": on_deadline,
        "pause": on_pause,
        "retry": on_retry,
        "rest": on_rest,
        "resend": on_resend,
        "stop": on_stop,
    }
    events: ClassVar = (Invoke, Return, Abandoned, Retried, Backlog)
