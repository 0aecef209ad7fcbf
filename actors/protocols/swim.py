"""SWIM: each node probes one other a period, asks a few to probe for it, suspects, and lets the suspect deny.

Source: Das, Gupta, Motivala, "SWIM", 2002: probing §3.1, suspicion §4.2, round-robin targets §4.3. What is added, as
memberlist does: a dead node is probed now and then, so that two sides of a healed partition find each other again,
and whoever is probed under suspicion is told of it.
"""

from typing import ClassVar

import msgspec

from actors.message import Event, Message, NodeId
from actors.node import Node
from actors.protocols.membership_gossip import ALIVE, DEAD, SUSPECT, Gossip, HealthChanged, PlaceChanged, Rumour
from actors.settings import MS, SECOND, DurationNs, Settings

PROBE_DEAD_EVERY = 4  # periods
EXCHANGE_EVERY = 8  # periods; the first one after a start, too


class Ping(Message, frozen=True):
    """Are you there?"""

    number: int
    rumours: tuple[Rumour, ...]


class Ack(Message, frozen=True):
    """The node that a ping of this number was meant for is there."""

    number: int
    rumours: tuple[Rumour, ...]


class PingRequest(Message, frozen=True):
    """Ping `target` for the sender, and pass its answer on (§3.1)."""

    number: int
    target: NodeId
    rumours: tuple[Rumour, ...]


class SwimSettings(Settings, frozen=True):
    """How fast, and how sure."""

    probe_every_ns: DurationNs = SECOND  # the protocol period
    probe_timeout_ns: DurationNs = 300 * MS  # a direct answer is due; then others are asked
    indirect: int = 3  # how many others
    suspicion_periods: int = 3  # times log2 n: how long a suspect may deny

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = []
        if self.probe_every_ns <= 0:
            found.append(("probe_every_ns", "the time between two probes must be above 0"))
        if not 0 < self.probe_timeout_ns < self.probe_every_ns:
            found.append(("probe_timeout_ns", "it must be above 0 and shorter than probe_every"))
        if self.indirect < 0:
            found.append(("indirect", "a number of nodes from 0 on"))
        if self.suspicion_periods < 1:
            found.append(("suspicion_periods", "at least 1, or nobody could deny"))
        return found


class Relay(msgspec.Struct, frozen=True):
    """A ping that this node sent for another."""

    asker: NodeId
    number: int  # the asker's


class Swim(Gossip):
    """The failure detector. A node's own probe of the period is `target`, until it answers."""

    settings_type: ClassVar[type[Settings]] = SwimSettings
    volatile: ClassVar = {
        **Gossip.volatile,
        "order": list[NodeId],
        "number": int,
        "probed": int,
        "target": NodeId | None,
        "periods": int,
        "relays": dict[int, Relay],
        "suspected_ns": dict[NodeId, int],
    }

    def __init__(self, node: Node, settings: SwimSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.order: list[NodeId] = []  # whom to probe in the rest of this round
        self.number = 0  # of the last ping, for itself or another
        self.probed = 0  # of this period's own
        self.target: NodeId | None = None
        self.periods = 0
        self.relays: dict[int, Relay] = {}
        self.suspected_ns: dict[NodeId, int] = {}  # since when, by this node's clock

    def start(self) -> None:
        """Begin somewhere within a period, so that not all nodes probe at once."""
        super().start()
        self.choices = self.node.random("swim")
        self.start_detector()

    def start_detector(self) -> None:
        if self.others:
            self.node.set_timer("probe", self.choices.randrange(self.settings.probe_every_ns))

    # probing (§3.1)

    def on_probe(self) -> None:
        """A period ends and the next begins."""
        self.node.set_timer("probe", self.settings.probe_every_ns)
        if self.target is not None:
            self.suspect(self.target)
        self.expire_suspects()
        self.relays.clear()
        self.exchange_now_and_then()
        self.target = self.next_target()
        if self.target is not None:
            self.number += 1
            self.probed = self.number
            self.ping(self.target, self.probed)
            self.node.set_timer("probe_timeout", self.settings.probe_timeout_ns)

    def exchange_now_and_then(self) -> None:
        """Count the periods; in some of them tell anybody everything."""
        self.periods += 1
        if self.periods % EXCHANGE_EVERY == 1:
            self.exchange_with(self.choices.choice(self.others))

    def next_target(self) -> NodeId | None:
        """Everybody in turn, in a new random order each round (§4.3); now and then somebody who is taken for dead."""
        if not self.periods % PROBE_DEAD_EVERY:
            dead = sorted(node for node, record in self.records.items() if record.health == DEAD)
            if dead:
                self.ping(self.choices.choice(dead), 0)  # its answer counts by what it says of itself
        for _ in range(2):
            while self.order:
                node = self.order.pop()
                if self.record_of(node).health != DEAD:
                    return node
            self.order = list(self.others)
            self.choices.shuffle(self.order)
        return None

    def ping(self, peer: NodeId, number: int) -> None:
        self.node.send(peer, Ping(number, self.rumours_for(peer)))

    def on_ping(self, peer: NodeId, ping: Ping) -> None:
        self.hear(ping.rumours)
        self.node.send(peer, Ack(ping.number, self.rumours_for(peer)))

    def on_probe_timeout(self) -> None:
        """No direct answer: perhaps it is the path."""
        if self.target is None:
            return
        able = [node for node in self.others if node != self.target and self.record_of(node).health == ALIVE]
        for helper in self.choices.sample(able, min(self.settings.indirect, len(able))):
            self.node.send(helper, PingRequest(self.probed, self.target, self.rumours_for(helper)))

    def on_ping_request(self, asker: NodeId, request: PingRequest) -> None:
        """Ping for another, under a number of this node's own."""
        self.hear(request.rumours)
        self.number += 1
        self.relays[self.number] = Relay(asker, request.number)
        self.ping(request.target, self.number)

    def on_ack(self, peer: NodeId, ack: Ack) -> None:
        """The probed node is there, or the one that this node was asked to ping."""
        self.hear(ack.rumours)
        relay = self.relays.pop(ack.number, None)
        if relay is not None:
            self.node.send(relay.asker, Ack(relay.number, self.rumours_for(relay.asker)))
        elif ack.number == self.probed:
            self.target = None

    # suspicion (§4.2)

    def suspect(self, node: NodeId) -> None:
        """Tell the others that a node may be dead; it has some periods to deny."""
        record = self.record_of(node)
        if record.health == ALIVE:
            self.take_up(msgspec.structs.replace(record, health=SUSPECT))

    def expire_suspects(self) -> None:
        """Who did not deny in time is dead."""
        limit_ns = self.settings.suspicion_periods * len(self.node.peers).bit_length() * self.settings.probe_every_ns
        now = self.node.monotonic_ns()
        for node, since_ns in list(self.suspected_ns.items()):
            if now - since_ns >= limit_ns:
                self.take_up(msgspec.structs.replace(self.record_of(node), health=DEAD))

    def record_changed(self, former: Rumour, rumour: Rumour) -> None:
        """Watch over suspects, whoever suspected them first."""
        super().record_changed(former, rumour)
        if rumour.health == SUSPECT:
            self.suspected_ns.setdefault(rumour.node, self.node.monotonic_ns())
        else:
            self.suspected_ns.pop(rumour.node, None)

    handlers: ClassVar = {**Gossip.handlers, Ping: on_ping, Ack: on_ack, PingRequest: on_ping_request}
    timers: ClassVar = {"probe": on_probe, "probe_timeout": on_probe_timeout}
    events: ClassVar[tuple[type[Event], ...]] = (HealthChanged, PlaceChanged)
