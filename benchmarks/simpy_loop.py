"""The same handlers over SimPy, in the leanest way that it allows: an event a message with a callback, no processes."""

from typing import Any

import simpy

from actors.message import Message, NodeId
from benchmarks.heap_loop import TRIP_NS, BareNode, HeapLoop
from cluster.fabric import Setup


class SimpyNode(BareNode):
    """The node API over a SimPy environment. Without timers: the ring sets none."""

    loop: "SimpyLoop"

    def send(self, to: NodeId, message: Message) -> None:
        sent = self.loop.environment.timeout(TRIP_NS, (to, self.id, message))
        sent.callbacks.append(self.loop.deliver)


class SimpyLoop(HeapLoop):
    """Runs a setup's actors in a SimPy environment."""

    node_kind = SimpyNode

    def __init__(self, setup: Setup) -> None:
        self.environment = simpy.Environment()
        self.delivered = 0
        super().__init__(setup)

    def deliver(self, event: Any) -> None:
        """A message has arrived."""
        to, sender, message = event.value
        actor = self.actors[to]
        self.delivered += 1
        actor.handlers[type(message)](actor, sender, message)

    def run(self, messages: int) -> int:
        """Deliver so many messages; returns how many they were."""
        begun, step = self.delivered, self.environment.step
        while self.delivered - begun < messages:
            step()
        return self.delivered - begun
