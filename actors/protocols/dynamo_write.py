"""Writes: a coordinator makes the event, sends the new clock to the owners, and answers after w of them.

Source: Dynamo §4.3-4.6. A put that reaches a server which is none of the key's goes on to one that is, for only a
replica can make an event that no other will make. A write that fails is not rolled back: it may be seen later.
"""

from typing import ClassVar

import msgspec

from actors.clocks import Clock
from actors.clocks.content import NEVER, Content, Writer
from actors.clocks.vector import Context, UnreadableContext, from_token, token
from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import (
    Answer,
    Forwarded,
    Put,
    Record,
    ReplicaWrote,
    TooManySiblings,
    Trips,
    WriteReplica,
)
from actors.protocols.dynamo_replica import Replica, live
from actors.protocols.dynamo_settings import DynamoSettings
from actors.state.consistency import Level, Requirements, met, requirements


class Target(msgspec.Struct, frozen=True):
    """Where a copy goes: an owner, or a node that stands in for one."""

    owner: NodeId
    node: NodeId


class Writing(msgspec.Struct):
    """A write that not all replicas have answered yet."""

    client: NodeId
    process: int
    serial: int
    key: str
    clock: Clock
    seen: bytes  # the context for the client
    needs: Requirements
    silent: list[Target]
    began_ns: int
    acked: list[NodeId]  # owners
    answered: bool = False
    trips_ns: list[tuple[NodeId, int]] = []


class Writes(Replica):
    """The coordinator of puts."""

    volatile: ClassVar = {
        **Replica.volatile,
        "ops": int,
        "writing": dict[int, Writing],
        "deadlines": list[tuple[int, int]],
    }

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.ops = 0
        self.writing: dict[int, Writing] = {}
        self.deadlines: list[tuple[int, int]] = []  # (time, op) in order

    # who coordinates

    def on_put(self, client: NodeId, put: Put) -> None:
        """Coordinate the write, or pass it to a server that may."""
        coordinators = self.coordinators(self.partition(put.key))
        if self.node.id in coordinators:
            self.coordinate_put(client, put)
            return
        near = [node for node in coordinators if self.node.regions[node] == self.here]
        self.node.send((near or coordinators)[0], Forwarded(client, put))

    def on_forwarded(self, _: NodeId, forwarded: Forwarded) -> None:
        """Another server took this node for an owner; if it is none, it stands in, so that nothing goes in circles."""
        self.coordinate_put(forwarded.client, forwarded.put)

    def coordinators(self, partition: int) -> list[NodeId]:
        """Healthy owners; without any, and if stand-ins count, the healthy nodes behind them; else all owners."""
        owners = self.ring.owners(partition)
        healthy = [node for node in owners if self.is_up(node)]
        if not healthy and self.settings.quorum == "sloppy":
            healthy = [node for node in self.ring.stand_ins(partition) if self.is_up(node)]
        return healthy or list(owners)

    # the write

    def coordinate_put(self, client: NodeId, put: Put) -> None:
        """Make the event, keep it, send it on."""
        try:
            context = from_token(put.context)
        except UnreadableContext:
            self.node.send(client, Answer(put.process, put.serial, "bad-context"))
            return
        partition = self.partition(put.key)
        targets = self.write_targets(partition)
        needs = self.write_needs(partition, put.level)
        if not self.enough(needs, targets):
            self.node.send(client, Answer(put.process, put.serial, "unavailable"))
            return
        record, seen = self.event_for(put, context)
        if self.too_many(put.key, record.clock):
            self.node.send(client, Answer(put.process, put.serial, "too-many-siblings"))
            return
        self.ops += 1
        op = Writing(
            client=client,
            process=put.process,
            serial=put.serial,
            key=put.key,
            clock=record.clock,
            seen=token(self.context_after(record.clock, seen)),
            needs=needs,
            silent=[],
            began_ns=self.node.monotonic_ns(),
            acked=[],
        )
        self.writing[self.ops] = op
        self.send_copies(self.ops, op, targets, record)
        self.await_until(self.ops)
        self.advance_write(self.ops, op)

    def event_for(self, put: Put, context: Context) -> tuple[Record, Context]:
        """What this node holds once the write is made, and what its client has seen then."""
        record = self.base_of(put.key)
        epoch = record.epoch or self.new_epoch()
        content = Content(put.value, self.wall_ns() if put.delete else NEVER)
        writer = Writer(self.actor_id(epoch), put.process, self.wall_ns())
        clock, seen = self.mechanism.update(record.clock, self.context_for(context), content, writer)
        return Record(clock, epoch), seen

    def context_for(self, context: Context) -> Context:
        """What the client had seen: what it brought along."""
        return context

    def context_after(self, clock: Clock, seen: Context) -> Context:
        """What the client may be told: what it had seen and its own write, never siblings that it was not given."""
        return seen

    def base_of(self, key: str) -> Record:
        """What the event is made upon; see `actors.protocols.hints` for a stand-in's."""
        return self.store.get(key) or Record(self.mechanism.empty)

    def too_many(self, key: str, clock: Clock) -> bool:
        """Whether a write is refused for the siblings that it would leave; warn before."""
        siblings = len(live(clock))
        if siblings < self.settings.siblings_warn:
            return False
        refused = siblings > self.settings.siblings_most
        self.node.emit(TooManySiblings(key, siblings, refused))
        return refused

    def write_needs(self, partition: int, level: Level | str | None) -> Requirements:
        """Whose answers a write waits for, by each ring that is in force; `any` waits for nobody's."""
        level = self.settings.w if level is None else level
        if level == "any":
            return ()
        rings = self.write_rings()
        sides = (requirements(level, ring.owners(partition), self.node.regions, self.here) for ring in rings)
        return tuple(need for side in sides for need in side)

    def write_targets(self, partition: int) -> list[Target]:
        """All owners by all rings; if stand-ins count, a healthy node in the place of each that is down."""
        owners = dict.fromkeys(owner for ring in self.write_rings() for owner in ring.owners(partition))
        if self.settings.quorum == "strict":
            return [Target(owner, owner) for owner in owners]
        return self.with_stand_ins(partition, list(owners))

    def with_stand_ins(self, partition: int, owners: list[NodeId]) -> list[Target]:
        """Each healthy owner itself; for the others the healthy nodes that come next, each once (§4.6)."""
        able = (node for node in self.ring.stand_ins(partition) if node not in owners and self.is_up(node))
        return [Target(owner, owner if self.is_up(owner) else next(able, owner)) for owner in owners]

    def enough(self, needs: Requirements, targets: list[Target]) -> bool:
        """Whether so many are healthy that the request can succeed."""
        return met(needs, [target.owner for target in targets if self.is_up(target.node)])

    def send_copies(self, number: int, op: Writing, targets: list[Target], record: Record) -> None:
        """Keep the own copy, send the others; keep a hint for an owner that nobody can stand in for."""
        me = self.node.id
        if all(target.node != me for target in targets):
            self.keep_apart(op, record)
        for target in targets:
            if target.node == me and target.owner == me:
                self.keep(op.key, record)
                op.acked.append(me)
            elif target.node == me:
                self.keep_hint(target.owner, op.key, op.clock)
                op.acked.append(target.owner)
            elif not self.is_up(target.node) and self.settings.hinted_handoff:
                self.keep_hint(target.owner, op.key, op.clock)
                self.hint_kept(op, target.owner)
            else:
                stands_for = target.owner if target.owner != target.node else None
                self.node.send(target.node, WriteReplica(number, op.key, op.clock, stands_for))
                op.silent.append(target)

    def keep_apart(self, op: Writing, record: Record) -> None:
        """This coordinator is no target: its event must be durable before another hears of it."""
        self.keep_hint(self.ring.owners(self.partition(op.key))[0], op.key, op.clock)

    def hint_kept(self, op: Writing, owner: NodeId) -> None:
        """A hint is no copy: it counts for nothing."""

    def on_replica_wrote(self, node: NodeId, answer: ReplicaWrote) -> None:
        """A copy is durable."""
        op = self.writing.get(answer.op)
        if op is None:
            self.read_repaired(answer.op, node, answer)
            return
        owner = node if answer.stands_for is None else answer.stands_for
        op.silent = [target for target in op.silent if (target.owner, target.node) != (owner, node)]
        op.acked.append(owner)
        op.trips_ns.append((node, self.node.monotonic_ns() - op.began_ns))
        self.advance_write(answer.op, op)

    def read_repaired(self, number: int, node: NodeId, answer: ReplicaWrote) -> None:
        """A repair that a read waits for; see `actors.protocols.dynamo_read`."""

    def advance_write(self, number: int, op: Writing) -> None:
        """Answer the client once enough copies are durable; forget the write once all are."""
        if not op.answered and met(op.needs, op.acked):
            op.answered = True
            self.node.send(op.client, Answer(op.process, op.serial, None, (), op.seen))
        if not op.silent:
            self.end_write(number, op)

    def end_write(self, number: int, op: Writing) -> None:
        if self.writing.pop(number, None) is not None and self.settings.trace_trips and op.trips_ns:
            self.node.emit(Trips(True, tuple(op.trips_ns)))

    # time-outs

    def await_until(self, number: int) -> None:
        """Look at an operation again when its replicas have had their time."""
        self.deadlines.append((self.node.monotonic_ns() + self.settings.timeout_ns, number))
        if len(self.deadlines) == 1:
            self.node.set_timer("deadline", self.settings.timeout_ns)

    def on_deadline(self) -> None:
        """Give up on silent replicas; what was meant for them is kept as hints."""
        now = self.node.monotonic_ns()
        while self.deadlines and self.deadlines[0][0] <= now:
            self.expire(self.deadlines.pop(0)[1])
        if self.deadlines:
            self.node.set_timer("deadline", self.deadlines[0][0] - now)

    def expire(self, number: int) -> None:
        op = self.writing.get(number)
        if op is None:
            return
        if not op.answered:
            self.node.send(op.client, Answer(op.process, op.serial, "too-few-replicas"))
        if self.settings.hinted_handoff:
            for target in op.silent:
                self.keep_hint(target.owner, op.key, op.clock)
        self.end_write(number, op)

    handlers: ClassVar = {
        **Replica.handlers,
        Put: on_put,
        Forwarded: on_forwarded,
        ReplicaWrote: on_replica_wrote,
    }
    timers: ClassVar = {**Replica.timers, "deadline": on_deadline}
    events: ClassVar[tuple[type[Event], ...]] = (*Replica.events, TooManySiblings, Trips)
