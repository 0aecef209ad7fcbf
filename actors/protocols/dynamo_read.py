"""Reads: a coordinator asks the owners, merges what they hold, answers after r of them, and repairs those behind.

Source: Dynamo §4.5 (get, read repair); Cassandra's documentation for digests, speculative retry and blocking repair,
which makes quorum reads monotonic: what one read found, a quorum holds before the client hears of it.
"""

from typing import ClassVar

import msgspec

from actors.clocks import Clock
from actors.clocks.vector import token
from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import (
    Answer,
    Background,
    Get,
    ReadReplica,
    ReplicaRead,
    ReplicaWrote,
    Trips,
    WriteReplica,
)
from actors.protocols.dynamo_replica import encode, fingerprint, live
from actors.protocols.dynamo_settings import DynamoSettings
from actors.protocols.dynamo_write import Target, Writes
from actors.state.consistency import Level, Requirements, met, requirements


class Reading(msgspec.Struct):
    """A read, until all that were asked have answered or had their time."""

    client: NodeId
    process: int
    serial: int
    key: str
    needs: Requirements
    asked: list[Target]
    spare: list[Target]  # not asked so far
    began_ns: int
    data: dict[NodeId, Clock | None] = {}  # by owner
    marks: dict[NodeId, int] = {}  # fingerprints, by owner; what was repaired has the merged one
    fetching: list[NodeId] = []  # owners whose digest differed, and whose data was asked for
    merged: Clock | None = None
    mark: int = 0  # of merged
    repairing: list[NodeId] = []  # owners whose repair the answer waits for
    answered: bool = False
    trips_ns: list[tuple[NodeId, int]] = []


class Reads(Writes):
    """The coordinator of gets: any server."""

    volatile: ClassVar = {**Writes.volatile, "reading": dict[int, Reading], "speculations": list[tuple[int, int]]}

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.reading: dict[int, Reading] = {}
        self.speculations: list[tuple[int, int]] = []

    def on_get(self, client: NodeId, get: Get) -> None:
        """Ask the owners."""
        partition = self.partition(get.key)
        owners = self.ring.owners(partition)
        needs = self.read_needs(owners, get.level)
        targets = self.nearest_first(self.read_targets(partition))
        if not self.enough(needs, targets):
            self.node.send(client, Answer(get.process, get.serial, "unavailable"))
            return
        asked = targets if self.settings.ask == "all" else self.fewest(targets, needs)
        self.ops += 1
        op = Reading(
            client=client,
            process=get.process,
            serial=get.serial,
            key=get.key,
            needs=needs,
            asked=[],
            spare=[target for target in targets if target not in asked],
            began_ns=self.node.monotonic_ns(),
        )
        self.reading[self.ops] = op
        for place, target in enumerate(asked):
            self.ask_replica(self.ops, op, target, digest=self.settings.digest_reads and place > 0)
        self.await_until(self.ops)
        if self.settings.speculative_retry_ns and op.spare:
            self.speculate_later(self.ops)

    def read_needs(self, owners: tuple[NodeId, ...], level: Level | str | None) -> Requirements:
        """Whose answers a read waits for."""
        level = self.settings.r if level is None else level
        return requirements(level, owners, self.node.regions, self.here)

    def read_targets(self, partition: int) -> list[Target]:
        """The owners; if stand-ins count, a healthy node in the place of each that is down."""
        owners = list(self.ring.owners(partition))
        if self.settings.quorum == "strict":
            return [Target(owner, owner) for owner in owners]
        return self.with_stand_ins(partition, owners)

    def nearest_first(self, targets: list[Target]) -> list[Target]:
        """Healthy before others, this node before all, its region before the rest."""
        regions, me = self.node.regions, self.node.id
        return sorted(
            targets,
            key=lambda target: (not self.is_up(target.node), target.node != me, regions[target.node] != self.here),
        )

    def fewest(self, targets: list[Target], needs: Requirements) -> list[Target]:
        """The nearest ones that are enough."""
        chosen: list[Target] = []
        for target in targets:
            if met(needs, [each.owner for each in chosen]):
                break
            if any(target.owner in nodes for nodes, _ in needs):
                chosen.append(target)
        return chosen

    def ask_replica(self, number: int, op: Reading, target: Target, *, digest: bool) -> None:
        op.asked.append(target)
        self.node.send(target.node, ReadReplica(number, op.key, digest))

    def on_read_replica(self, coordinator: NodeId, read: ReadReplica) -> None:
        """Say what this node holds, hints included."""
        clock = self.readable(read.key)
        mark = self.fingerprint_of(read.key) if clock is self.clock_of(read.key) else fingerprint(clock)
        self.node.send(coordinator, ReplicaRead(read.op, mark, None if read.digest else clock))

    def readable(self, key: str) -> Clock | None:
        """What this node knows of a key; see `actors.protocols.hints` for a stand-in's."""
        return self.clock_of(key)

    def on_replica_read(self, node: NodeId, answer: ReplicaRead) -> None:
        """One replica's answer: data, or a digest."""
        op = self.reading.get(answer.op)
        owner = next((each.owner for each in op.asked if each.node == node), None) if op is not None else None
        if op is None or owner is None:
            return
        op.trips_ns.append((node, self.node.monotonic_ns() - op.began_ns))
        op.marks[owner] = answer.fingerprint
        if answer.clock is not None or not answer.fingerprint:
            op.data[owner] = answer.clock
        if op.answered:
            self.repair_late(answer.op, op, owner)
        else:
            self.advance_read(answer.op, op)

    def advance_read(self, number: int, op: Reading) -> None:
        """Once enough have answered: fetch what digests hide, merge, repair if that comes first, answer."""
        if op.repairing or not met(op.needs, op.marks):
            return
        have = {op.marks[owner] for owner in op.data}
        hidden = [owner for owner, mark in op.marks.items() if mark not in have]
        if hidden:
            for owner in hidden:
                if owner not in op.fetching:
                    op.fetching.append(owner)
                    self.node.send(self.node_of(op, owner), ReadReplica(number, op.key, False))
            return
        op.merged = self.merged(op)
        known = (op.marks[owner] for owner, clock in op.data.items() if clock == op.merged)
        op.mark = next(known, None) or fingerprint(op.merged)
        behind = self.behind_of(op)
        if behind and self.settings.read_repair == "blocking":
            good = [owner for owner, mark in op.marks.items() if mark == op.mark]
            if not met(op.needs, good):
                op.repairing = behind
                self.repair(op, behind, number=number)
                return
        self.answer_read(number, op)
        if self.settings.read_repair != "none":
            self.repair(op, behind)

    def behind_of(self, op: Reading) -> list[NodeId]:
        """The owners that lack part of what all know together."""
        return [owner for owner, mark in op.marks.items() if mark != op.mark]

    def merged(self, op: Reading) -> Clock | None:
        """All that the replicas' data holds together."""
        merged: Clock | None = None
        for clock in op.data.values():
            if clock is not None:
                merged = clock if merged is None else merged.sync(clock)  # type: ignore[arg-type]
        return merged

    def answer_read(self, number: int, op: Reading) -> None:
        """Give the client the siblings, and the context that covers them."""
        op.answered = True
        siblings = tuple(content.value for content in live(op.merged))
        context = token(op.merged.join()) if op.merged is not None else b""
        self.node.send(op.client, Answer(op.process, op.serial, None, siblings, context))
        self.end_if_complete(number, op)

    def end_if_complete(self, number: int, op: Reading) -> None:
        """Forget the read once all that were asked have answered."""
        if len(op.marks) < len(op.asked):
            return
        if self.reading.pop(number, None) is not None and self.settings.trace_trips:
            self.node.emit(Trips(False, tuple(op.trips_ns)))

    # read repair

    def node_of(self, op: Reading, owner: NodeId) -> NodeId:
        return next(target.node for target in op.asked if target.owner == owner)

    def repair(self, op: Reading, owners: list[NodeId], *, number: int = 0) -> None:
        """Send the merged clock to replicas that lack part of it; with a number, the answer waits for theirs."""
        clock = self.repair_clock(op)
        if clock is None or not owners:
            return
        for owner in owners:
            node = self.node_of(op, owner)
            stands_for = owner if owner != node else None
            self.node.send(node, WriteReplica(number, op.key, clock, stands_for, repair=True))
        self.node.emit(Background("read-repair", len(owners), len(owners) * len(encode(clock))))

    def repair_clock(self, op: Reading) -> Clock | None:
        return op.merged

    def read_repaired(self, number: int, node: NodeId, answer: ReplicaWrote) -> None:
        """A replica that was behind is not any more."""
        op = self.reading.get(number)
        owner = node if answer.stands_for is None else answer.stands_for
        if op is None or op.answered or owner not in op.repairing:
            return
        op.marks[owner] = op.mark
        if met(op.needs, [each for each, mark in op.marks.items() if mark == op.mark]):
            self.answer_read(number, op)

    def repair_late(self, number: int, op: Reading, owner: NodeId) -> None:
        """An answer after the client's: bring whoever is behind up to date, without anybody waiting."""
        if self.settings.read_repair != "none" and op.marks[owner] != op.mark:
            fresh = op.data.get(owner)
            if fresh is not None:
                op.merged = self.merged(op)
                op.mark = fingerprint(op.merged)
                self.repair(op, self.behind_of(op))
            else:
                self.repair(op, [owner])
        self.end_if_complete(number, op)

    # time

    def speculate_later(self, number: int) -> None:
        """Ask one replica more if the first ones take long."""
        self.speculations.append((self.node.monotonic_ns() + self.settings.speculative_retry_ns, number))
        if len(self.speculations) == 1:
            self.node.set_timer("speculate", self.settings.speculative_retry_ns)

    def on_speculate(self) -> None:
        now = self.node.monotonic_ns()
        while self.speculations and self.speculations[0][0] <= now:
            number = self.speculations.pop(0)[1]
            op = self.reading.get(number)
            if op is not None and not op.answered and op.spare:
                self.ask_replica(number, op, op.spare.pop(0), digest=False)
        if self.speculations:
            self.node.set_timer("speculate", self.speculations[0][0] - now)

    def expire(self, number: int) -> None:
        """See `Writes.expire`."""
        super().expire(number)
        op = self.reading.pop(number, None)
        if op is not None and not op.answered:
            self.node.send(op.client, Answer(op.process, op.serial, "read-timed-out"))

    handlers: ClassVar = {
        **Writes.handlers,
        Get: on_get,
        ReadReplica: on_read_replica,
        ReplicaRead: on_replica_read,
    }
    timers: ClassVar = {**Writes.timers, "speculate": on_speculate}
    events: ClassVar[tuple[type[Event], ...]] = (*Writes.events, Background)
