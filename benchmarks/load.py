"""The loads that the benches share: a ring that passes tokens on, and a Raft under a window of client commands."""

from collections.abc import Callable
from typing import ClassVar

from actors.client import Command, Reply, Request
from actors.message import Event, Message, NodeId
from actors.node import Actor, Node
from actors.protocols.gossip import Gossip, GossipSettings
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import RaftSettings
from actors.settings import SECOND, Settings
from cluster.control import Control
from cluster.fabric import ActorSpec, DiskModel, Setup
from cluster.topology import Topology

TELL_EVERY = 64


class Token(Message, frozen=True):
    """Goes round for ever."""

    laps: int


class RingSettings(Settings, frozen=True):
    """How many tokens each node puts on the ring."""

    tokens: int = 1


class Ring(Actor):
    """Passes every token on to the next node."""

    settings_type = RingSettings

    def __init__(self, node: Node, settings: RingSettings) -> None:
        super().__init__(node, settings)
        self.next = (node.id + 1) % len(node.peers)
        self.tokens = settings.tokens

    def start(self) -> None:
        for _ in range(self.tokens):
            self.node.send(self.next, Token(0))

    def on_token(self, _: NodeId, token: Token) -> None:
        self.node.send(self.next, Token(token.laps + 1))

    handlers: ClassVar = {Token: on_token}


class WindowSettings(Settings, frozen=True):
    """How many commands are in flight at any time."""

    window: int = 8


class Answered(Event, frozen=True):
    """The client had so many answers when this was told, and the last one took so long."""

    answers: int
    took_ns: int


class Window(Actor):
    """A client that keeps a window of writes open at the leader, and knows nothing else.

    It tells of every 64th answer, and of each if the window is 1.
    """

    settings_type = WindowSettings

    def __init__(self, node: Node, settings: WindowSettings) -> None:
        super().__init__(node, settings)
        self.window = settings.window
        self.serial = self.answers = 0
        self.asked_ns: dict[int, int] = {}
        self.leader: NodeId = 0

    def start(self) -> None:
        self.node.set_timer("begin", SECOND)

    def on_begin(self) -> None:
        for _ in range(self.window):
            self.write()

    def write(self) -> None:
        self.serial += 1
        if self.window == 1 or self.serial % TELL_EVERY == 0:
            self.asked_ns[self.serial] = self.node.monotonic_ns()
        self.node.send(self.leader, Request(Command(self.serial % 1024, self.serial, "write", "k", self.serial)))

    def on_reply(self, _: NodeId, reply: Reply) -> None:
        self.answers += 1
        asked_ns = self.asked_ns.pop(reply.serial, None)
        if asked_ns is not None:
            self.node.emit(Answered(self.answers, self.node.monotonic_ns() - asked_ns))
        self.write()

    handlers: ClassVar = {Reply: on_reply}
    timers: ClassVar = {"begin": on_begin}
    events: ClassVar = (Answered,)


class FirstLeads(Raft):
    """A Raft whose first node runs for leader at once, so that a bench knows whom to ask."""

    def reset_election_timer(self) -> None:
        first = self.node.id == 0 and self.term == 0
        self.node.set_timer("election", 1000 if first else self.settings.election_timeout_ns[1])


class Nobody:
    """A director that breaks nothing."""

    watches: ClassVar[tuple[type[Event], ...]] = ()
    over = False

    def begin(self, control: Control, record: Callable[[Event], None]) -> None: ...

    def due_ns(self) -> int | None:
        return None

    def advance(self, now_ns: int) -> None: ...

    def observe(self, node: NodeId, event: Event, time_ns: int) -> None: ...

    def finish(self, now_ns: int) -> None: ...


def setup(name: str, actors: tuple[ActorSpec, ...], *, servers: int, **changes: object) -> Setup:
    """A setup of these actors on a LAN, the servers first."""
    fields: dict[str, object] = {
        "name": name,
        "seed": 1,
        "topology": Topology(("lan",) * len(actors), servers),
        "latency": "lan",
        "inside_region_rtt_ns": None,
        "disk": DiskModel(fsync_ns=0),
        "actors": actors,
        "duration_ns": 3600 * SECOND,
        "drain_ns": 0,
    }
    return Setup(**{**fields, **changes})  # type: ignore[arg-type]


def ring(nodes: int, tokens: int = 1) -> Setup:
    """A ring of nodes, each of which puts tokens on it."""
    return setup("ring", (ActorSpec(Ring, RingSettings(tokens=tokens)),) * nodes, servers=nodes)


def raft(nodes: int, window: int, **changes: object) -> Setup:
    """A Raft of some nodes under one client's window of writes."""
    servers = (ActorSpec(FirstLeads, RaftSettings(election_timeout_ns=(SECOND, 2 * SECOND))),) * nodes
    return setup("raft", (*servers, ActorSpec(Window, WindowSettings(window=window))), servers=nodes, **changes)


def gossip(nodes: int) -> Setup:
    """A rumour among some nodes."""
    return setup("gossip", (ActorSpec(Gossip, GossipSettings()),) * nodes, servers=nodes)
