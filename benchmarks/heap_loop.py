"""What the simulator is held against: a bare heapq loop that runs the same handlers and does nothing else.

No latency model but a constant, no loss, no digest, no journal, no barrier: what a simulation of these actors costs in
pure Python at least.
"""

import heapq
from collections.abc import Sequence
from random import Random
from typing import Any

from actors.message import Event, Message, NodeId
from actors.node import Actor, Stored
from cluster.fabric import Setup

TRIP_NS = 150_000


class BareNode:
    """The node API over nothing but a heap."""

    def __init__(self, loop: "HeapLoop", node_id: NodeId, peers: Sequence[NodeId], regions: Sequence[str]) -> None:
        self.loop, self.id, self.peers, self.regions = loop, node_id, peers, regions
        self.incarnation = 0
        self.deadlines: dict[str, int] = {}

    def now_ns(self) -> int:
        return self.loop.now_ns

    def monotonic_ns(self) -> int:
        return self.loop.now_ns

    def random(self, name: str) -> Random:
        return Random(f"{self.id}/{name}")

    def send(self, to: NodeId, message: Message) -> None:
        loop = self.loop
        loop.sequence += 1
        heapq.heappush(loop.heap, (loop.now_ns + TRIP_NS, loop.sequence, to, self.id, message))

    def send_unsaved(self, to: NodeId, message: Message) -> None:
        self.send(to, message)

    def set_timer(self, name: str, after_ns: int) -> None:
        loop = self.loop
        loop.sequence += 1
        due_ns = self.deadlines[name] = loop.now_ns + after_ns
        heapq.heappush(loop.heap, (due_ns, loop.sequence, self.id, -1, name))

    def cancel_timer(self, name: str) -> None:
        self.deadlines.pop(name, None)

    def save(self, **facts: Any) -> None: ...

    def append(self, log: str, items: Sequence[Any]) -> None: ...

    def cut(self, log: str, length: int) -> None: ...

    def snapshot(self, state: Any, *, log: str, drop: int) -> None: ...

    def load(self) -> Stored:
        return Stored()

    def emit(self, event: Event) -> None: ...

    def fails(self, point: str) -> bool:
        return False


class HeapLoop:
    """Runs a setup's actors."""

    node_kind = BareNode

    def __init__(self, setup: Setup) -> None:
        self.heap: list[tuple[int, int, NodeId, NodeId, Any]] = []
        self.now_ns = self.sequence = 0
        self.nodes: list[BareNode] = []
        self.actors: list[Actor] = []
        for node_id, spec in enumerate(setup.actors):
            node = self.node_kind(self, node_id, setup.topology.servers, setup.topology.regions)
            self.nodes.append(node)
            self.actors.append(spec.kind(node, spec.settings))
        for actor in self.actors:
            actor.start()

    def run(self, messages: int) -> int:
        """Deliver about this many messages; returns how many they were."""
        heap, pop, nodes, actors = self.heap, heapq.heappop, self.nodes, self.actors
        delivered = 0
        while delivered < messages:
            self.now_ns, _, to, sender, what = pop(heap)
            actor = actors[to]
            if sender >= 0:
                delivered += 1
                actor.handlers[type(what)](actor, sender, what)
            elif nodes[to].deadlines.get(what) == self.now_ns:
                actor.timers[what](actor)
        return delivered
