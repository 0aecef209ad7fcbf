"""What tests of actors, clusters and chaos share: a node that only records, and small clusters on the simulator."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar, NamedTuple

from actors.client import Client, ClientSettings, Command
from actors.election import RoleChanged
from actors.history import Operation
from actors.message import Event, Message, NodeId
from actors.node import Actor, Stored
from actors.protocols.raft_messages import RaftSettings
from actors.settings import MS, SECOND, Settings
from actors.workload import Workload
from cluster.control import Control
from cluster.fabric import ActorSpec, Director, DiskModel, Setup
from cluster.journal import Entry, Journal
from cluster.loop import Loop
from cluster.sim.fabric import SimControl
from cluster.sim.loop import SimLoop
from cluster.topology import Topology
from experiments.recording import Recording, record
from experiments.workloads.append import Append

REGION = "us-east-1"


# one actor alone


class FakeNode:
    """A `Node` that carries nothing out: it records what its actor asked for, in order."""

    def __init__(self, node_id: NodeId = 0, *, servers: int = 3, clients: int = 0, disk: Stored | None = None) -> None:
        self.id = node_id
        self.incarnation = 0
        self.peers = range(servers)
        self.regions = (REGION,) * (servers + clients)
        self.clock_ns = 0
        self.failing: set[str] = set()  # named points of the code
        self.disk = disk or Stored()
        self.asked: list[tuple[Any, ...]] = []  # ("send", to, message), ("save", facts), ...
        self.timers: dict[str, int] = {}

    def now_ns(self) -> int:
        return self.clock_ns

    def monotonic_ns(self) -> int:
        return self.clock_ns

    def random(self, name: str) -> Random:
        return Random(name)

    def send(self, to: NodeId, message: Message) -> None:
        self.asked.append(("send", to, message))

    def send_unsaved(self, to: NodeId, message: Message) -> None:
        self.asked.append(("send unsaved", to, message))

    def set_timer(self, name: str, after_ns: int) -> None:
        self.timers[name] = self.clock_ns + after_ns

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def save(self, **facts: Any) -> None:
        self.asked.append(("save", facts))

    def append(self, log: str, items: Sequence[Any]) -> None:
        self.asked.append(("append", log, tuple(items)))

    def cut(self, log: str, length: int) -> None:
        self.asked.append(("cut", log, length))

    def snapshot(self, state: Any, *, log: str, drop: int) -> None:
        self.asked.append(("snapshot", state, log, drop))

    def load(self) -> Stored:
        return self.disk

    def fails(self, point: str) -> bool:
        return point in self.failing

    def emit(self, event: Event) -> None:
        self.asked.append(("emit", event))

    # what a test asks

    def sent(self, kind: type[Message] = Message) -> list[tuple[NodeId, Any]]:
        """What was sent since the last `forget`, as (receiver, message)."""
        return [
            (what[1], what[2])
            for what in self.asked
            if what[0] in ("send", "send unsaved") and isinstance(what[2], kind)
        ]

    def saved(self) -> dict[str, Any]:
        """The facts that were saved since the last `forget`, the latest of each name."""
        return {name: value for what in self.asked if what[0] == "save" for name, value in what[1].items()}

    def stored(self) -> list[tuple[Any, ...]]:
        """What was asked of the disk since the last `forget`."""
        return [what for what in self.asked if what[0] in ("save", "append", "cut", "snapshot")]

    def emitted(self, kind: type[Event] = Event) -> list[Any]:
        return [what[1] for what in self.asked if what[0] == "emit" and isinstance(what[1], kind)]

    def forget(self) -> None:
        self.asked.clear()

    def fire(self, actor: Actor, name: str) -> None:
        """Let a timer go off at its time, as a loop does."""
        self.clock_ns = max(self.clock_ns, self.timers.pop(name))
        actor.timers[name](actor)


def tell(actor: Actor, sender: NodeId, message: Message) -> None:
    """Hand one message to an actor, which must hold its invariants afterwards."""
    actor.handlers[type(message)](actor, sender, message)
    actor.check()


def command(process: int, serial: int = 1, function: str = "write", key: str = "k1", value: Any = 0) -> Command:
    return Command(process, serial, function, key, value)


# a cluster on the simulator


class Script:
    """A director that pulls levers at given times: [(time ns, what to do with the control)]."""

    def __init__(self, lines: Iterable[tuple[int, Callable[[Control], Any]]] = ()) -> None:
        self.lines = sorted(lines, key=lambda line: line[0])
        self.seen: list[tuple[NodeId, Event]] = []

    over = False

    def begin(self, control: Control, record: Callable[[Event], None]) -> None:
        self.control = control

    def due_ns(self) -> int | None:
        return self.lines[0][0] if self.lines else None

    def advance(self, now_ns: int) -> None:
        while self.lines and self.lines[0][0] <= now_ns:
            self.lines.pop(0)[1](self.control)

    def observe(self, node: NodeId, event: Event, time_ns: int) -> None:
        self.seen.append((node, event))

    def finish(self, now_ns: int) -> None:
        self.lines.clear()


class CheckedLoop(SimLoop):
    """A simulator that asserts each actor's invariants after each of its handlers."""

    def handle(self, kind: int, node_id: NodeId, sender: int, what: Any) -> bool:
        handled = super().handle(kind, node_id, sender, what)
        if handled and node_id in self.nodes:
            self.nodes[node_id].actor.check()
        return handled


class Run(NamedTuple):
    """A simulated run that is over."""

    loop: Loop
    entries: list[Entry]
    recording: Recording
    digest: str

    def actor(self, node: NodeId) -> Any:
        return self.loop.nodes[node].actor


def simulate(setup: Setup, director: Director | None = None, *, loop_kind: type[SimLoop] = CheckedLoop) -> Run:
    """Run a setup on the simulator as its fabric does, and keep hold of what the nodes ended with."""
    director = director or Script()
    journal = Journal(None, host="sim", origin_ns=0)
    loop = loop_kind(setup, journal, director)
    director.begin(SimControl(loop), loop.record)
    loop.schedule_director()
    for node in range(len(setup.topology.regions)):
        loop.start(node)
    loop.run_until(setup.duration_ns, lambda _: None)
    director.finish(loop.now_ns)
    loop.run_until(loop.now_ns + setup.drain_ns, lambda _: None)
    journal.flush()
    recording = record(setup.topology, setup.duration_ns, 0, journal.entries)
    return Run(loop, journal.entries, recording, loop.hexdigest())


def small_setup(
    servers: Sequence[ActorSpec],
    clients: Sequence[ActorSpec] = (),
    *,
    seed: int = 1,
    duration_ns: int = SECOND,
    drain_ns: int = 0,
    fsync_ns: int = MS,
    regions: Sequence[str] = (),
    rtt_ns: int = 2 * MS,
    name: str = "test",
) -> Setup:
    """Servers, then clients, all in one region unless the regions are given."""
    placed = tuple(regions) or (REGION,) * (len(servers) + len(clients))
    return Setup(
        name=name,
        seed=seed,
        topology=Topology(placed, len(servers)),
        latency="aws-2025",
        inside_region_rtt_ns=rtt_ns,
        disk=DiskModel(fsync_ns=fsync_ns, real=False),
        actors=(*servers, *clients),
        duration_ns=duration_ns,
        drain_ns=drain_ns,
    )


def client_pool(workload: Workload, *, stop_after_ns: int, name: str = "append") -> ActorSpec:
    """All client processes of a workload in one node."""
    return ActorSpec(
        Client,
        ClientSettings(
            name=name,
            workload=workload,
            processes=tuple(range(workload.clients)),
            first_fresh=workload.clients,
            pool=0,
            pools=1,
            stop_after_ns=stop_after_ns,
        ),
    )


RAFT = RaftSettings(election_timeout_ns=(150 * MS, 300 * MS))


def raft_setup(
    kind: type[Actor],
    settings: Settings = RAFT,
    *,
    servers: int = 5,
    seed: int = 1,
    duration_ns: int = 6 * SECOND,
    fsync_ns: int = MS,
    workload: Workload | None = None,
    rtt_ns: int = 2 * MS,
) -> Setup:
    """A Raft, or a mutant of it, with clients that append to lists."""
    asked = workload or Append(clients=4, keys=2, timeout_ns=SECOND)
    return small_setup(
        [ActorSpec(kind, settings)] * servers,
        [client_pool(asked, stop_after_ns=duration_ns)],
        seed=seed,
        duration_ns=duration_ns,
        drain_ns=2 * SECOND,
        fsync_ns=fsync_ns,
        rtt_ns=rtt_ns,
    )


# what must hold of a run


def terms_with_two_leaders(recording: Recording) -> dict[int, set[NodeId]]:
    """Raft, figure 3, Election Safety: empty if at most one node was elected in each term."""
    leaders: dict[int, set[NodeId]] = defaultdict(set)
    for _, node, event in ((seen.time_ns, seen.node, seen.event) for seen in recording.events):
        if isinstance(event, RoleChanged) and event.role == "leader":
            leaders[event.term].add(node)
    return {term: nodes for term, nodes in leaders.items() if len(nodes) > 1}


def lost_appends(history: Iterable[Operation]) -> list[str]:
    """What an append-only history shows to be lost, doubled or reordered; empty if nothing is.

    All reads of a key must be prefixes of the longest one, without an item twice; a read that began after an append
    was acknowledged must hold its item.
    """
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        if operation.outcome == "ok":
            by_key[operation.key].append(operation)
    wrong = []
    for key, done in by_key.items():
        reads = [(operation.invoke_ns, operation.result or ()) for operation in done if operation.function == "read"]
        longest = max((found for _, found in reads), key=len, default=())
        doubled = [item for item, times in Counter(longest).items() if times > 1]
        wrong += [f"{key}: {item} is there twice" for item in doubled]
        wrong += [f"{key}: read {found}, which is no prefix" for _, found in reads if longest[: len(found)] != found]
        for operation in done:
            if operation.function == "append":
                wrong += [
                    f"{key}: {operation.value} was acknowledged at {operation.return_ns} and is missing at {read_ns}"
                    for read_ns, found in reads
                    if read_ns > (operation.return_ns or 0) and operation.value not in found
                ]
    return wrong


def acknowledged(history: Iterable[Operation]) -> dict[str, list[Any]]:
    """The items whose append was acknowledged, by key."""
    items: dict[str, list[Any]] = defaultdict(list)
    for operation in history:
        if operation.function == "append" and operation.outcome == "ok":
            items[operation.key].append(operation.value)
    return items


# actors that show what a fabric does


class Number(Message):
    """The n-th message of its sender on this link."""

    number: int


class Got(Event):
    """The emitting node received this number from this node, sent at that time of the sender's clock."""

    sender: NodeId
    number: int


class TalkerSettings(Settings):
    """Every `every_ns`, say the next number to everybody."""

    every_ns: int = 10 * MS


class Talker(Actor):
    """Numbers its messages; tells what it receives."""

    settings_type = TalkerSettings
    volatile: ClassVar = {"said": int}

    def __init__(self, node: Any, settings: TalkerSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.said = 0

    def start(self) -> None:
        self.on_tick()

    def on_tick(self) -> None:
        self.node.set_timer("tick", self.settings.every_ns)
        self.said += 1
        for peer in self.node.peers:
            if peer != self.node.id:
                self.node.send(peer, Number(self.said))

    def on_number(self, sender: NodeId, message: Number) -> None:
        self.node.emit(Got(sender, message.number))

    handlers: ClassVar = {Number: on_number}
    timers: ClassVar = {"tick": on_tick}
    events: ClassVar = (Got,)


TALKER = ActorSpec(Talker, TalkerSettings())


def talk(servers: int = 3, director: Director | None = None, **setup: Any) -> Run:
    """Talkers alone."""
    return simulate(small_setup([TALKER] * servers, **setup), director)


def got(run: Run, source: NodeId, target: NodeId) -> list[tuple[int, int]]:
    """What `target` received from `source`, as (time, number)."""
    return [
        (entry.time_ns, entry.item.number)
        for entry in run.entries
        if entry.node == target and isinstance(entry.item, Got) and entry.item.sender == source
    ]


def journal_path(folder: Path) -> Path:
    """Where the simulator's journal lies in a run folder."""
    return folder / "journal" / "sim.msgpack"
