"""Gossip: one rumour, pushed and pulled between random pairs of nodes until everyone knows it.

Source: Demers et al., "Epidemic algorithms for replicated database maintenance", 1987, §1.3: in each round a node picks
another at random; with push it tells what it knows, with pull it asks. Pull finishes faster than push once most know
(the share that does not is squared each round, not divided by e), so push-pull takes about log2(n) + ln(n) rounds at
most. The first node starts the rumour; a client's write replaces it by a later one, a read tells what its node heard.
"""

from typing import ClassVar, Literal

from actors.client import Reply, Request
from actors.message import Event, Message, NodeId, Value
from actors.node import Actor, Node
from actors.settings import MS, DurationNs, Settings

NEWS: Value = "news"


class Push(Message, frozen=True):
    """The latest rumour that the sender knows."""

    version: tuple[int, NodeId]  # counts up; of two equal counts the greater node's is later
    value: Value


class Pull(Message, frozen=True):
    """The sender asks for a later rumour than this."""

    version: tuple[int, NodeId]


class Heard(Event, frozen=True):
    """The emitting node has learnt of this rumour."""

    version: tuple[int, NodeId]


class GossipSettings(Settings, frozen=True):
    """How the rumour goes round."""

    interval_ns: DurationNs = 100 * MS  # between two rounds of a node
    style: Literal["push", "pull", "push-pull"] = "push-pull"

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.interval_ns > 0 else [("interval_ns", "an interval must be above 0")]


NOTHING: tuple[int, NodeId] = (0, 0)


class Gossip(Actor):
    """One node. What it heard is not saved: after a restart it asks again."""

    settings_type = GossipSettings
    volatile: ClassVar = {"version": tuple[int, NodeId], "value": Value}

    def __init__(self, node: Node, settings: GossipSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.draws = node.random("rounds")
        self.version = NOTHING
        self.value: Value = None

    def start(self) -> None:
        """Begin rounds at a random moment, so that nodes take turns."""
        if self.node.id == 0 and self.node.incarnation == 0:
            self.learn((1, 0), NEWS)
        self.node.set_timer("round", self.draws.randrange(self.settings.interval_ns))

    def on_round(self) -> None:
        """Meet another node (§1.3): tell it what is known here, or ask it."""
        self.node.set_timer("round", self.settings.interval_ns)
        others = len(self.node.peers) - 1
        if not others:
            return
        drawn = self.draws.randrange(others)
        peer = self.node.peers[drawn + (drawn >= self.node.id)]
        knows = self.version != NOTHING
        if self.settings.style != "pull" and knows:
            self.node.send(peer, Push(self.version, self.value))
        elif self.settings.style != "push":
            self.node.send(peer, Pull(self.version))

    def on_push(self, peer: NodeId, push: Push) -> None:
        """Learn; tell the sender if it lags behind and pulls."""
        if push.version > self.version:
            self.learn(push.version, push.value)
        elif push.version < self.version and self.settings.style == "push-pull":
            self.node.send(peer, Push(self.version, self.value))

    def on_pull(self, peer: NodeId, pull: Pull) -> None:
        """Tell what is known here, if it is later."""
        if pull.version < self.version:
            self.node.send(peer, Push(self.version, self.value))

    def learn(self, version: tuple[int, NodeId], value: Value) -> None:
        self.version, self.value = version, value
        self.node.emit(Heard(version))

    def on_request(self, client: NodeId, request: Request) -> None:
        """A read tells what this node heard, whatever the key; all else starts a later rumour."""
        command = request.command
        if command.function != "read":
            self.learn((self.version[0] + 1, self.node.id), command.value)
        self.node.send(client, Reply(command.process, command.serial, None, self.value))

    def check(self) -> None:
        """A node that knows no rumour has no value."""
        assert self.version != NOTHING or self.value is None

    handlers: ClassVar = {Push: on_push, Pull: on_pull, Request: on_request}
    timers: ClassVar = {"round": on_round}
    events: ClassVar = (Heard,)
