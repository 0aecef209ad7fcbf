"""All that can happen to three Raft cores up to a depth: every interleaving, each state visited once.

A step changes one node, and what a node does depends on nothing but its own state, its disk and what it is told. So the
states of nodes are numbered, their steps remembered, and a state of the cluster is a few numbers and a bag of letters.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from raft_cluster import PLAIN, CoreNode, Letter, RaftCluster
from raft_invariants import Violation, name_of

from actors.client import Command, Request
from actors.message import Message, NodeId
from actors.node import Stored
from actors.protocols.raft import Raft
from actors.protocols.raft_settings import RaftSettings


class Budget(NamedTuple):
    """What may still happen, besides deliveries in any order."""

    elections: int
    heartbeats: int
    proposals: int
    crashes: int
    drops: int


class World(NamedTuple):
    """One state of the cluster."""

    nodes: tuple[int, ...]  # numbers of `Explorer.known`
    mail: tuple[tuple[NodeId, NodeId, int], ...]  # (source, target, number of the message), sorted
    budget: Budget


class Known(NamedTuple):
    """A node's state: what it has in memory and on disk, which timers are set, and what the judge looks at."""

    state: dict[str, Any]
    image: Stored
    timers: frozenset[str]
    role: str
    term: int
    commit: int
    entries: tuple[tuple[int, int, int], ...]


class Explored(NamedTuple):
    """How far an exploration came."""

    states: int
    depth: int  # all states up to here were visited
    seconds: float


BUDGET = Budget(elections=2, heartbeats=1, proposals=2, crashes=1, drops=1)


class Explorer:
    """Breadth first from three fresh nodes. Every disk is as fast as can be: what is saved is durable."""

    def __init__(self, kind: type[Raft] = Raft, settings: RaftSettings = PLAIN, servers: int = 3) -> None:
        self.kind, self.settings, self.servers = kind, settings, servers
        self.cluster = RaftCluster(servers, kind=kind, settings=settings, judged=False)
        self.known: list[Known] = []
        self.numbers: dict[bytes, int] = {}
        self.messages: list[Message] = []
        self.message_numbers: dict[bytes, int] = {}
        self.steps: dict[tuple[Any, ...], tuple[int, tuple[tuple[NodeId, NodeId, int], ...]]] = {}
        self.encode = msgspec.msgpack.Encoder().encode

    def explore(self, depth: int, budget: Budget = BUDGET, seconds: float = 1e9) -> Explored:
        """Visit all states up to a depth, or until the time is over. Raises Violation."""
        began_s = time.perf_counter()
        first = World(tuple(self.number(node) for node in range(self.servers)), (), budget)
        seen, level = {first}, [first]
        for reached in range(depth):
            following = []
            for world in level:
                for after in self.neighbours(world):
                    if after not in seen:
                        seen.add(after)
                        self.judge(after)
                        following.append(after)
                if time.perf_counter() - began_s > seconds:
                    return Explored(len(seen), reached, time.perf_counter() - began_s)
            level = following
        return Explored(len(seen), depth, time.perf_counter() - began_s)

    # from state to state

    def neighbours(self, world: World) -> Iterator[World]:
        """All that may happen next."""
        budget = world.budget
        for place, (source, target, message) in enumerate(world.mail):
            if place and world.mail[place - 1] == world.mail[place]:
                continue
            rest = world.mail[:place] + world.mail[place + 1 :]
            yield self.after(world._replace(mail=rest), target, ("message", source, message), budget)
            if budget.drops:
                yield World(world.nodes, rest, budget._replace(drops=budget.drops - 1))
        for node, number in enumerate(world.nodes):
            known = self.known[number]
            if budget.elections and "election" in known.timers:
                yield self.after(world, node, ("fire", "election"), budget._replace(elections=budget.elections - 1))
            if budget.heartbeats and "heartbeat" in known.timers:
                yield self.after(world, node, ("fire", "heartbeat"), budget._replace(heartbeats=budget.heartbeats - 1))
            if budget.proposals and known.role == "leader":
                what = ("propose", budget.proposals)
                yield self.after(world, node, what, budget._replace(proposals=budget.proposals - 1))
            if budget.crashes:
                yield self.after(world, node, ("restart",), budget._replace(crashes=budget.crashes - 1))

    def after(self, world: World, node: NodeId, what: tuple[Any, ...], budget: Budget) -> World:
        """The state once a node has done its part."""
        key = (node, world.nodes[node], *what)
        step = self.steps.get(key)
        if step is None:
            step = self.steps[key] = self.act(node, self.known[world.nodes[node]], what)
        number, sent = step
        nodes = (*world.nodes[:node], number, *world.nodes[node + 1 :])
        return World(nodes, tuple(sorted(world.mail + sent)) if sent else world.mail, budget)

    def act(
        self, node: NodeId, known: Known, what: tuple[Any, ...]
    ) -> tuple[int, tuple[tuple[NodeId, NodeId, int], ...]]:
        """Bring a core into a state, let it do this, and see what it is in then and has sent."""
        cluster = self.cluster
        logs = {name: list(items) for name, items in known.image.logs.items()}
        cluster.images[node] = Stored(dict(known.image.facts), logs, known.image.snapshot)
        cluster.mail.clear()
        if what[0] == "restart":
            cluster.start(node)
        else:
            cluster.nodes[node] = CoreNode(cluster, node, 0, cluster.images[node])
            cluster.nodes[node].timers = dict.fromkeys(known.timers, 0)
            cluster.actors[node] = self.kind(cluster.nodes[node], self.settings)
            cluster.actors[node].restore(known.state)
            if what[0] == "fire":
                cluster.fire(node, what[1])
            elif what[0] == "propose":
                cluster.hand(Letter(cluster.client, node, Request(Command(what[1], 1, "append", "k", what[1]))))
            else:
                cluster.hand(Letter(what[1], node, self.messages[what[2]]))
        cluster.actors[node].check()
        sent = tuple(
            (letter.source, letter.target, self.message_number(letter.message))
            for letter in cluster.mail
            if letter.target < self.servers
        )
        return self.number(node), sent

    def number(self, node: NodeId) -> int:
        """The number of a node's present state."""
        actor, at = self.cluster.actors[node], self.cluster.nodes[node]
        state = actor.state()
        timers = frozenset(at.timers)
        key = self.encode((node, state, sorted(at.image.facts.items()), at.image.logs.get("log"), sorted(timers)))
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.known)
            logs = {name: list(items) for name, items in at.image.logs.items()}
            image = Stored(dict(at.image.facts), logs, at.image.snapshot)
            entries = tuple(map(name_of, actor.log.entries))
            self.known.append(Known(state, image, timers, actor.role, actor.term, actor.commit, entries))
        return found

    def message_number(self, message: Message) -> int:
        key = self.encode(message)
        found = self.message_numbers.get(key)
        if found is None:
            found = self.message_numbers[key] = len(self.messages)
            self.messages.append(message)
        return found

    # what must hold of each state

    def judge(self, world: World) -> None:
        """Figure 3, as far as one state shows it."""
        nodes = [self.known[number] for number in world.nodes]
        for place, one in enumerate(nodes):
            for other in nodes[place + 1 :]:
                if one.role == other.role == "leader" and one.term == other.term:
                    raise Violation(f"election safety: two leaders of term {one.term}")
                shared = min(one.commit, other.commit)
                if one.entries[:shared] != other.entries[:shared]:
                    raise Violation(f"state-machine safety: {one.entries} and {other.entries} up to {shared}")
                self.judge_matching(one, other)
            for leader in nodes:
                if (
                    leader.role == "leader"
                    and leader.term > one.term
                    and leader.entries[: one.commit] != (one.entries[: one.commit])
                ):
                    raise Violation(f"leader completeness: {leader.entries} lacks what is in {one.entries}")

    def judge_matching(self, one: Known, other: Known) -> None:
        for index in range(min(len(one.entries), len(other.entries)) - 1, -1, -1):
            if one.entries[index][0] == other.entries[index][0]:
                if one.entries[: index + 1] != other.entries[: index + 1]:
                    raise Violation(f"log matching: {one.entries} and {other.entries}")
                return
