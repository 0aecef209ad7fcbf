"""How exactly the Ray fabric keeps a message's time: actors that measure it, beside a timer without messages."""

from collections.abc import Callable
from typing import ClassVar

from actors.message import Event, Message, NodeId
from actors.node import Actor, Node
from actors.settings import MS, SECOND, Settings
from benchmarks import load
from cluster.control import Control, LinkRule
from cluster.fabric import ActorSpec, Setup
from cluster.topology import Topology

HELD_NS = 20 * MS  # what each message is delayed by, beside the profile's trip
TICK_NS = MS


class Stamped(Message, frozen=True):
    """A message that knows when it was sent."""

    sent_ns: int


class Late(Event, frozen=True):
    """A message, or a timer, was handled this long after it was sent, or set."""

    after_ns: int


class SpeakerSettings(Settings, frozen=True):
    """How many messages a second to send; 0: only measure a timer."""

    messages_s: int = 0


class Speaker(Actor):
    """Sends stamped messages to the next server at a steady rate; without a rate it measures a timer of 1 ms."""

    settings_type = SpeakerSettings

    def __init__(self, node: Node, settings: SpeakerSettings) -> None:
        super().__init__(node, settings)
        self.messages_s = settings.messages_s

    def start(self) -> None:
        self.began_ns = self.set_ns = self.node.monotonic_ns()
        self.said = 0
        self.node.set_timer("tick", TICK_NS)

    def on_tick(self) -> None:
        now = self.node.monotonic_ns()
        self.node.set_timer("tick", TICK_NS)
        if self.messages_s == 0:
            self.node.emit(Late(now - self.set_ns))
            self.set_ns = now
        while self.said < (now - self.began_ns) * self.messages_s // SECOND:
            self.said += 1
            self.node.send(self.node.id + 1, Stamped(now))

    timers: ClassVar = {"tick": on_tick}
    events: ClassVar = (Late,)


class Listener(Actor):
    """Tells how long each message took."""

    def on_stamped(self, _: NodeId, message: Stamped) -> None:
        self.node.emit(Late(self.node.monotonic_ns() - message.sent_ns))

    handlers: ClassVar = {Stamped: on_stamped}
    events: ClassVar = (Late,)


class Holding(load.Nobody):
    """Delays all messages; what the profile draws beside that is within 0.02 ms."""

    def begin(self, control: Control, record: Callable[[Event], None]) -> None:
        everybody = tuple(control.topology.servers)
        control.lay((LinkRule(sources=everybody, targets=everybody, delay_ns=HELD_NS),))


def speakers(*rates: int, duration_ns: int) -> Setup:
    """A speaker and a listener for each rate, each in a host of its own; a rate of 0 is a timer alone."""
    actors: list[ActorSpec] = []
    for rate in rates:
        actors.append(ActorSpec(Speaker, SpeakerSettings(messages_s=rate)))
        if rate:
            actors.append(ActorSpec(Listener, Settings()))
    return load.setup(
        "bench-delays",
        tuple(actors),
        servers=len(actors),
        latency="loopback",
        duration_ns=duration_ns,
        topology=Topology(("loopback",) * len(actors), len(actors)),
    )
