"""A cluster of Raft cores without a loop: every message, time-out, crash and write happens when a test says so.

A letter lies in `mail` until it is delivered or dropped, in any order. A write is durable at once, unless its node was
told to be slow; then what it says waits, as the barrier demands, until the test syncs it. After each step the whole
cluster is held against Raft's invariants (`RaftInvariants`), if it is asked to.
"""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from raft_invariants import RaftInvariants

from actors.client import Command, Redirect, Reply, Request
from actors.message import Event, Message, NodeId
from actors.node import Stored
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import RequestVote
from actors.protocols.raft_settings import RaftSettings
from actors.settings import MS
from cluster.disk import apply_record

REGION = "us-east-1"
PLAIN = RaftSettings(election_timeout_ns=(150 * MS, 300 * MS))


class Letter(NamedTuple):
    """A message on its way."""

    source: NodeId
    target: NodeId
    message: Message


class CoreNode:
    """The node API for one incarnation of one core."""

    def __init__(self, cluster: "RaftCluster", node_id: NodeId, incarnation: int, image: Stored) -> None:
        self.cluster, self.id, self.incarnation, self.image = cluster, node_id, incarnation, image
        self.peers = range(cluster.servers)
        self.regions = (REGION,) * (cluster.servers + cluster.clients)
        self.timers: dict[str, int] = {}
        self.rate = 1.0  # of its clock
        self.slow = False
        self.record: list[tuple[Any, ...]] = []
        self.unsynced: list[tuple[tuple[Any, ...], list[Any]]] = []  # (record, what it holds back)
        self.effects: list[Any] = []

    def now_ns(self) -> int:
        return self.monotonic_ns()

    def monotonic_ns(self) -> int:
        return int(self.cluster.clock_ns * self.rate)

    def random(self, name: str) -> Random:
        return Random(f"{self.id}/{name}/{self.incarnation}")

    def send(self, to: NodeId, message: Message) -> None:
        self.effects.append(Letter(self.id, to, message))

    def send_unsaved(self, to: NodeId, message: Message) -> None:
        self.cluster.post(Letter(self.id, to, message))

    def set_timer(self, name: str, after_ns: int) -> None:
        self.timers[name] = self.monotonic_ns() + after_ns

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def save(self, **facts: Any) -> None:
        self.record.append(("save", facts))

    def append(self, log: str, items: Any) -> None:
        self.record.append(("append", log, tuple(items)))

    def cut(self, log: str, length: int) -> None:
        self.record.append(("cut", log, length))

    def snapshot(self, state: Any, *, log: str, drop: int) -> None:
        self.record.append(("snapshot", state, log, drop))

    def load(self) -> Stored:
        logs = {name: list(items) for name, items in self.image.logs.items()}
        return Stored(dict(self.image.facts), logs, self.image.snapshot, dict(self.image.rotten))

    def fails(self, point: str) -> bool:
        return False

    def emit(self, event: Event) -> None:
        self.effects.append(event)

    # what the cluster does with it

    def carry_out(self) -> None:
        """Keep what the handler saved, and let go what it said once that is durable."""
        record, effects = tuple(self.record), self.effects
        self.record, self.effects = [], []
        if record or self.unsynced:
            self.unsynced.append((record, effects))
            if not self.slow:
                self.sync()
        else:
            self.cluster.release(self.id, effects)

    def sync(self) -> None:
        """All that was written is durable now."""
        waiting, self.unsynced = self.unsynced, []
        for record, effects in waiting:
            apply_record(self.image, record)
            self.cluster.release(self.id, effects)


class RaftCluster:
    """Some Raft servers, one client, and the letters between them."""

    def __init__(
        self,
        servers: int = 3,
        *,
        kind: type[Raft] = Raft,
        settings: RaftSettings = PLAIN,
        judged: bool = True,
        settings_of: Callable[[NodeId, int], RaftSettings] | None = None,
    ) -> None:
        self.servers, self.clients = servers, 1
        self.client = servers
        self.kind = kind
        self.settings_of = settings_of or (lambda node, incarnation: settings)
        self.clock_ns = 0
        self.mail: list[Letter] = []
        self.answers: list[tuple[NodeId, Message]] = []
        self.invariants = RaftInvariants() if judged else None
        self.nodes: dict[NodeId, CoreNode] = {}
        self.actors: dict[NodeId, Raft] = {}
        self.images = {node: Stored() for node in range(servers)}
        self.incarnations = dict.fromkeys(range(servers), -1)
        self.serial = 0
        self.events: list[tuple[NodeId, Event]] = []
        for node in range(servers):
            self.start(node)

    # the steps

    def start(self, node: NodeId) -> None:
        self.incarnations[node] += 1
        self.nodes[node] = CoreNode(self, node, self.incarnations[node], self.images[node])
        actor = self.kind(self.nodes[node], self.settings_of(node, self.incarnations[node]))
        self.actors[node] = actor
        compact = actor.take_snapshot

        def judged_first() -> None:  # what is committed and compacted in one handler would else never be seen
            if self.invariants is not None:
                self.invariants.judge_commits(node, actor)
            compact()

        actor.take_snapshot = judged_first  # type: ignore[method-assign]
        self.step(node, self.actors[node].start)

    def crash(self, node: NodeId, keep: int = 0) -> None:
        """Lose what is in memory, and what was not synced but for the first `keep` records."""
        for record, _ in self.nodes[node].unsynced[:keep]:
            apply_record(self.images[node], record)
        del self.nodes[node], self.actors[node]
        if self.invariants is not None:
            self.invariants.crashed(node)

    def deliver(self, letter: Letter) -> None:
        """Hand a letter over; to a node that is down it is lost."""
        self.mail.remove(letter)
        self.hand(letter)

    def hand(self, letter: Letter) -> None:
        """Hand a letter over without taking it off the mail: it may come again."""
        if letter.target == self.client:
            self.answers.append((letter.source, letter.message))
        elif letter.target in self.actors:
            actor = self.actors[letter.target]
            handler = actor.handlers[type(letter.message)]
            self.step(letter.target, lambda: handler(actor, letter.source, letter.message))

    def fire(self, node: NodeId, timer: str) -> None:
        """Let a timer go off now, as if its time had come."""
        actor = self.actors[node]
        del self.nodes[node].timers[timer]
        self.step(node, lambda: actor.timers[timer](actor))

    def step(self, node: NodeId, act: Callable[[], None]) -> None:
        """Run a handler, then what batches at the end of a turn, and judge what has become of the cluster."""
        act()
        self.nodes[node].carry_out()
        actor = self.actors[node]
        for timer in ("replicate", "confirm"):
            if timer in self.nodes[node].timers:
                del self.nodes[node].timers[timer]
                actor.timers[timer](actor)
                self.nodes[node].carry_out()
        if self.invariants is not None:
            actor.check()
            self.invariants.judge(self.actors)

    def release(self, node: NodeId, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, Letter):
                self.post(effect)
            else:
                self.events.append((node, effect))
                if self.invariants is not None:
                    self.invariants.observe(node, effect, self.actors.get(node))

    def post(self, letter: Letter) -> None:
        self.mail.append(letter)

    # what tests say

    def letters(
        self, source: NodeId | None = None, target: NodeId | None = None, kind: type[Message] = Message
    ) -> list[Letter]:
        """The letters on their way from, to and of these."""
        return [
            letter
            for letter in self.mail
            if source in (None, letter.source) and target in (None, letter.target) and isinstance(letter.message, kind)
        ]

    def settle(self, nodes: set[NodeId] | None = None, most: int = 10_000) -> None:
        """Deliver letters among these nodes (and the client), in order, until none is left; others stay."""
        among = set(range(self.servers)) if nodes is None else nodes
        for _ in range(most):
            letter = next(
                (
                    letter
                    for letter in self.mail
                    if letter.source in among | {self.client} and letter.target in among | {self.client}
                ),
                None,
            )
            if letter is None:
                return
            self.deliver(letter)
        raise AssertionError(f"still letters after {most} deliveries")

    def elect(self, node: NodeId, among: set[NodeId] | None = None) -> None:
        """Let a node stand, and these vote for it."""
        self.fire(node, "election")
        self.settle(among)

    def heartbeat(self, node: NodeId, among: set[NodeId] | None = None) -> None:
        self.fire(node, "heartbeat")
        self.settle(among)

    def propose(self, node: NodeId, value: Any = None, *, function: str = "write", key: str = "x") -> Command:
        """A command of a client of its own arrives at a node."""
        self.serial += 1
        command = Command(self.serial, 1, function, key, self.serial if value is None else value)
        self.hand(Letter(self.client, node, Request(command)))
        return command

    def repeat(self, node: NodeId, command: Command) -> Command:
        """The same command arrives once more."""
        self.hand(Letter(self.client, node, Request(command)))
        return command

    def hand_vote_request(self, *, candidate: NodeId, voter: NodeId, term: int) -> None:
        """A request for a vote from a candidate whose log is as good as the voter's."""
        self.hand(Letter(candidate, voter, RequestVote(term, self.actors[voter].log.last_id)))

    def ask(self, node: NodeId, message: Message) -> None:
        """An operator's message arrives at a node."""
        self.hand(Letter(-1, node, message))

    def drop(self, source: NodeId | None = None, target: NodeId | None = None) -> None:
        """Lose the letters on their way from and to these."""
        for letter in self.letters(source, target):
            self.mail.remove(letter)

    def isolate(self, node: NodeId) -> None:
        """Lose what is on its way to and from a node."""
        self.drop(source=node)
        self.drop(target=node)

    def answer_to(self, command: Command) -> Any:
        """What the client was told last of a command: a value, the name of an error, "redirected", or None."""
        for letter in [*self.letters(target=self.client)]:
            self.deliver(letter)
        for _, message in reversed(self.answers):
            if isinstance(message, Reply | Redirect) and message.process == command.process:
                if isinstance(message, Redirect):
                    return "redirected"
                return message.error or message.value
        return None

    @property
    def leaders(self) -> list[NodeId]:
        return [node for node, actor in sorted(self.actors.items()) if actor.role == "leader"]

    def values(self, node: NodeId) -> dict[str, Any]:
        return self.actors[node].machine.values
