"""A bully election without a quorum: the highest node that one can reach leads.

Source: Garcia-Molina, "Elections in a distributed computing system", 1982: its bully algorithm, with heartbeats in
place of its assumption that a silent node is a dead one. Under a partition that assumption fails, and each side
elects a leader of its own: the split brain that a quorum prevents. The leader serves a key-value store and copies
writes to the others without waiting, so both sides accept writes.
"""

from typing import ClassVar

from actors.client import Command, Redirect, Reply, Request
from actors.election import Role, RoleChanged
from actors.message import Message, NodeId
from actors.node import Actor, Node
from actors.settings import MS, DurationNs, Settings
from actors.state.key_value import KeyValue


class Alive(Message, frozen=True):
    """A heartbeat."""


class Elect(Message, frozen=True):
    """An election has begun in this round; asked of all higher nodes."""

    round: int


class Answer(Message, frozen=True):
    """A higher node lives, and takes the election over."""

    round: int


class Coordinator(Message, frozen=True):
    """The sender leads from this round on."""

    round: int


class Copy(Message, frozen=True):
    """The leader has carried out this command."""

    command: Command


class BullySettings(Settings, frozen=True):
    """Time-outs of the election."""

    heartbeat_ns: DurationNs = 50 * MS
    timeout_ns: DurationNs = 300 * MS  # silence after which a node counts as dead; also how long to wait for answers

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = []
        if self.heartbeat_ns <= 0:
            found.append(("heartbeat_ns", "a heartbeat must be above 0"))
        if self.timeout_ns <= self.heartbeat_ns:
            found.append(("timeout_ns", "the time-out must be longer than the heartbeat"))
        return found


class Bully(Actor):
    """One server. A change in who can be reached calls for an election in the next round."""

    settings_type = BullySettings
    volatile: ClassVar = {
        "role": Role,
        "leader": NodeId | None,
        "round": int,
        "heard_ns": dict[NodeId, int],
        "group": tuple[NodeId, ...] | None,
        "machine": KeyValue,
        "started_ns": int,
    }

    def __init__(self, node: Node, settings: BullySettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.others = tuple(peer for peer in node.peers if peer != node.id)
        self.role: Role = "follower"
        self.leader: NodeId | None = None
        self.round = 0
        self.heard_ns: dict[NodeId, int] = {}
        self.group: tuple[NodeId, ...] | None = None  # who could be reached when the last election ended
        self.machine = KeyValue()
        self.started_ns = 0

    def start(self) -> None:
        """Wait one time-out to hear who is there, then elect."""
        self.started_ns = self.node.monotonic_ns()
        self.node.emit(RoleChanged("follower", self.round))
        self.on_heartbeat()

    # who can be reached

    def reached(self) -> tuple[NodeId, ...]:
        """The peers heard of within a time-out."""
        since = self.node.monotonic_ns() - self.settings.timeout_ns
        return tuple(peer for peer in self.others if self.heard_ns.get(peer, -1) >= since)

    def on_heartbeat(self) -> None:
        """Say that this node lives; elect anew if others are there than at the last election."""
        self.node.set_timer("heartbeat", self.settings.heartbeat_ns)
        for peer in self.others:
            self.node.send(peer, Alive())
        listening = self.node.monotonic_ns() - self.started_ns < self.settings.timeout_ns
        if not listening and self.role != "candidate" and self.reached() != self.group:
            self.become_candidate(self.round + 1)

    def on_alive(self, peer: NodeId, _: Alive) -> None:
        self.heard_ns[peer] = self.node.monotonic_ns()

    # the election

    def become_candidate(self, election: int) -> None:
        """Ask all higher nodes; if none answers in time, this one leads."""
        self.round = election
        self.role, self.leader = "candidate", None
        self.group = self.reached()
        self.node.emit(RoleChanged("candidate", self.round))
        for peer in self.others:
            if peer > self.node.id:
                self.node.send(peer, Elect(self.round))
        self.node.set_timer("answer", self.settings.timeout_ns)

    def on_elect(self, peer: NodeId, elect: Elect) -> None:
        """A lower node calls an election: answer, and hold it in its place."""
        self.node.send(peer, Answer(elect.round))
        if elect.round > self.round:
            self.become_candidate(elect.round)

    def on_answer_timeout(self) -> None:
        """No higher node answered: lead."""
        if self.role != "candidate":
            return
        self.role, self.leader = "leader", self.node.id
        self.node.emit(RoleChanged("leader", self.round))
        for peer in self.others:
            self.node.send(peer, Coordinator(self.round))

    def on_answer(self, _: NodeId, answer: Answer) -> None:
        """A higher node lives: wait for it to take over, else call the next election."""
        if self.role == "candidate" and answer.round == self.round:
            self.node.cancel_timer("answer")
            self.node.set_timer("takeover", 2 * self.settings.timeout_ns)

    def on_takeover_timeout(self) -> None:
        """The higher node that answered has not taken over."""
        if self.role == "candidate":
            self.become_candidate(self.round + 1)

    def on_coordinator(self, leader: NodeId, news: Coordinator) -> None:
        """Follow the new leader, unless a later election is known, or this higher node won the same one."""
        if news.round < self.round or (news.round == self.round and leader < self.node.id):
            return
        self.round, self.leader, self.role = news.round, leader, "follower"
        self.group = self.reached()
        self.node.cancel_timer("answer")
        self.node.cancel_timer("takeover")
        self.node.emit(RoleChanged("follower", self.round))

    # clients

    def on_request(self, client: NodeId, request: Request) -> None:
        """Serve at once, if this node believes to lead; nobody is asked."""
        command = request.command
        if self.role != "leader":
            self.node.send(client, Redirect(command.process, command.serial, self.leader))
            return
        error, value = self.machine.apply(command)
        self.node.send(client, Reply(command.process, command.serial, error, value))
        if command.function != "read":
            for peer in self.others:
                self.node.send(peer, Copy(command))

    def on_copy(self, _: NodeId, copy: Copy) -> None:
        self.machine.apply(copy.command)

    def check(self) -> None:
        """What holds of one server at any time."""
        assert (self.role == "leader") == (self.leader == self.node.id)
        assert self.role != "candidate" or self.leader is None

    handlers: ClassVar = {
        Alive: on_alive,
        Elect: on_elect,
        Answer: on_answer,
        Coordinator: on_coordinator,
        Copy: on_copy,
        Request: on_request,
    }
    timers: ClassVar = {
        "heartbeat": on_heartbeat,
        "answer": on_answer_timeout,
        "takeover": on_takeover_timeout,
    }
    events: ClassVar = (RoleChanged,)
