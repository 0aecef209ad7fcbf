"""The same handlers over SimPy, in two ways: as its users model nodes, and as lean as it can be made to run."""

from typing import Any

import simpy

from actors.message import Message, NodeId
from benchmarks.heap_loop import TRIP_NS, BareNode, HeapLoop
from cluster.fabric import Setup


class SimpyNode(BareNode):
    """The node API over a SimPy environment. Without timers: the ring sets none."""

    loop: "SimpyLoop"

    def send(self, to: NodeId, message: Message) -> None:
        trip = self.loop.environment.timeout(TRIP_NS, (to, self.id, message))
        trip.callbacks.append(self.loop.arrived)


class SimpyLoop(HeapLoop):
    """Nodes as SimPy's documentation has them: a process each, which takes messages from a store of its own."""

    node_kind = SimpyNode

    def __init__(self, setup: Setup) -> None:
        self.environment = simpy.Environment()
        self.delivered = 0
        self.inboxes = [simpy.Store(self.environment) for _ in setup.actors]
        super().__init__(setup)
        for node in range(len(setup.actors)):
            self.environment.process(self.serve(node))

    def arrived(self, trip: Any) -> None:
        """A message has come to the end of its link."""
        self.inboxes[trip.value[0]].put(trip.value)

    def serve(self, node: NodeId) -> Any:
        """A node's process."""
        actor, inbox = self.actors[node], self.inboxes[node]
        while True:
            _, sender, message = yield inbox.get()
            self.delivered += 1
            actor.handlers[type(message)](actor, sender, message)

    def run(self, messages: int) -> int:
        """Deliver so many messages; returns how many they were."""
        begun, step = self.delivered, self.environment.step
        while self.delivered - begun < messages:
            step()
        return self.delivered - begun


class CallbackLoop(SimpyLoop):
    """No processes and no stores: an event a message, whose callback is the handler."""

    def serve(self, node: NodeId) -> Any:
        """Nothing to do."""
        yield self.environment.timeout(0)

    def arrived(self, trip: Any) -> None:
        """See `SimpyLoop.arrived`."""
        to, sender, message = trip.value
        self.delivered += 1
        self.actors[to].handlers[type(message)](self.actors[to], sender, message)
