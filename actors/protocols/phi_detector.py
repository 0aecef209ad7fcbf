"""Failure detection by heartbeats to all and the phi-accrual estimate, in place of SWIM's probes.

Each node judges for itself, by the silence of others; rumours of places still ride on the heartbeats. It costs n
messages a node and period, where SWIM costs about two.
"""

from typing import ClassVar, Protocol, cast

import msgspec

from actors.message import Message, NodeId
from actors.node import Node
from actors.protocols.membership_gossip import ALIVE, DEAD, HealthChanged, Rumour
from actors.protocols.swim import Swim, SwimSettings
from actors.state.phi import Arrivals


class Heartbeat(Message, frozen=True):
    """The sender is there, in this incarnation."""

    incarnation: int
    rumours: tuple[Rumour, ...]


class _Choice(Protocol):
    """The settings that say which detector."""

    detector: str
    phi_threshold: float


class PhiDetector(Swim):
    """SWIM, phi-accrual or none, as the settings say."""

    volatile: ClassVar = {**Swim.volatile, "arrivals": dict[NodeId, Arrivals]}

    def __init__(self, node: Node, settings: SwimSettings) -> None:
        super().__init__(node, settings)
        self.arrivals: dict[NodeId, Arrivals] = {}

    def start_detector(self) -> None:
        """See `Swim.start_detector`."""
        detector = cast(_Choice, self.settings).detector
        if detector == "swim":
            super().start_detector()
        elif detector == "phi" and self.others:
            now = self.node.monotonic_ns()
            self.arrivals = {peer: Arrivals(now, [self.settings.probe_every_ns]) for peer in self.others}
            self.node.set_timer("heartbeat", self.choices.randrange(self.settings.probe_every_ns))

    def on_heartbeat_due(self) -> None:
        """Tell everybody, and judge everybody's silence."""
        self.node.set_timer("heartbeat", self.settings.probe_every_ns)
        self.exchange_now_and_then()
        mine = self.record_of(self.node.id)
        now = self.node.monotonic_ns()
        for peer in self.others:
            self.node.send(peer, Heartbeat(mine.incarnation, self.rumours_for(peer)))
            record = self.record_of(peer)
            silent = self.arrivals[peer].phi(now) >= cast(_Choice, self.settings).phi_threshold
            if silent and record.health == ALIVE:
                self.records[peer] = msgspec.structs.replace(record, health=DEAD)
                self.node.emit(HealthChanged(peer, "dead", record.incarnation))

    def on_heartbeat(self, peer: NodeId, heartbeat: Heartbeat) -> None:
        """A node that is heard of lives, whatever was thought of it; that is no news for others."""
        self.hear(heartbeat.rumours)
        if peer in self.arrivals:
            self.arrivals[peer].heard(self.node.monotonic_ns())
        record = self.record_of(peer)
        if record.health != ALIVE and heartbeat.incarnation >= record.incarnation:
            self.records[peer] = msgspec.structs.replace(record, health=ALIVE, incarnation=heartbeat.incarnation)
            self.node.emit(HealthChanged(peer, "alive", heartbeat.incarnation))

    handlers: ClassVar = {**Swim.handlers, Heartbeat: on_heartbeat}
    timers: ClassVar = {**Swim.timers, "heartbeat": on_heartbeat_due}
