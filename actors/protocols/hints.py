"""Hinted handoff: writes for an owner that is down are kept by another, and handed over when it is back.

Source: Dynamo §4.6. Hints live apart from the replica's own keys, survive a crash of their keeper, and expire after
their lifetime; what they covered is then left to anti-entropy. One batch at a time goes to an owner, the next when
that one is answered, so that a node that comes back isn't flooded.
"""

from typing import ClassVar

import msgspec

from actors.clocks import Clock
from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import Background, HandedOff, Handoff, Hinted, Record
from actors.protocols.dynamo_read import Reads
from actors.protocols.dynamo_replica import encode, fingerprint
from actors.protocols.dynamo_settings import DynamoSettings

HINT = "hint "  # what precedes a hint among the facts on disk: "hint 3 k1"
EXPIRED = 3  # handoff periods: a batch without an answer is sent again


class Hint(msgspec.Struct, frozen=True):
    """A copy for somebody else, and since when it is kept (this node's wall clock)."""

    clock: Clock
    since_ns: int


class HintedHandoff(Reads):
    """Keeps hints and hands them over."""

    volatile: ClassVar = {
        **Reads.volatile,
        "hints": dict[NodeId, dict[str, Hint]],
        "handing": dict[NodeId, int],
        "stand_in_epochs": dict[str, int],
    }

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.hints: dict[NodeId, dict[str, Hint]] = {}  # by owner and key
        self.handing: dict[NodeId, int] = {}  # when the batch under way was sent to an owner
        self.stand_in_epochs: dict[str, int] = {}  # under which this node makes events of keys it doesn't own

    def start(self) -> None:
        """Take up the hints on disk."""
        super().start()
        for name, value in sorted(self.node.load().facts.items()):
            if name.startswith(HINT) and value is not None:
                owner, key = name.removeprefix(HINT).split(" ", 1)
                self.hints.setdefault(int(owner), {})[key] = msgspec.convert(value, Hint)
        self.node.set_timer("handoff", self.settings.handoff_every_ns)

    # keeping

    def keep_hint(self, owner: NodeId, key: str, clock: Clock) -> None:
        """Hold a copy for an owner that is down, merged with what is held for it already."""
        if owner == self.node.id:
            self.merge(key, clock)  # the owner meant is this node after all
            return
        held = self.hints.setdefault(owner, {}).get(key)
        hint = Hint(clock, self.wall_ns()) if held is None else Hint(held.clock.sync(clock), held.since_ns)  # type: ignore[arg-type]
        self.hints[owner][key] = hint
        if self.settings.storage == "disk":
            self.node.save(**{f"{HINT}{owner} {key}": hint})
        self.node.emit(Hinted(owner, 1))

    def drop_hint(self, owner: NodeId, key: str) -> None:
        held = self.hints[owner]
        del held[key]
        if not held:
            del self.hints[owner]
        if not any(key in others for others in self.hints.values()):
            self.stand_in_epochs.pop(key, None)
        if self.settings.storage == "disk":
            self.node.save(**{f"{HINT}{owner} {key}": None})

    def hinted(self, key: str) -> Clock | None:
        """What the hints of all owners know of a key together."""
        merged: Clock | None = None
        for held in self.hints.values():
            hint = held.get(key)
            if hint is not None:
                merged = hint.clock if merged is None else merged.sync(hint.clock)  # type: ignore[arg-type]
        return merged

    def readable(self, key: str) -> Clock | None:
        """See `Reads.readable`: a stand-in answers with what it keeps for others, too."""
        own, hinted = self.clock_of(key), self.hinted(key)
        if own is None or hinted is None:
            return hinted if own is None else own
        return own.sync(hinted)  # type: ignore[arg-type]

    def base_of(self, key: str) -> Record:
        """See `Writes.base_of`: a stand-in goes on from the hints, under an epoch for as long as it has them."""
        own = self.store.get(key)
        hinted = self.hinted(key)
        if own is not None:
            return own if hinted is None else Record(own.clock.sync(hinted), own.epoch)  # type: ignore[arg-type]
        if self.keeps(self.partition(key)):
            return Record(hinted or self.mechanism.empty)
        epoch = self.stand_in_epochs.setdefault(key, self.new_epoch())
        return Record(hinted or self.mechanism.empty, epoch)

    # handing over

    def on_handoff_due(self) -> None:
        """Send each owner that is back the next batch; drop what is too old."""
        self.node.set_timer("handoff", self.settings.handoff_every_ns)
        self.expire_hints()
        now = self.node.monotonic_ns()
        for owner in sorted(self.hints):
            since_ns = self.handing.get(owner)
            waiting = since_ns is not None and now - since_ns < EXPIRED * self.settings.handoff_every_ns
            if self.is_up(owner) and not waiting:
                self.hand_over(owner)

    def expire_hints(self) -> None:
        before_ns = self.wall_ns() - self.settings.hint_lifetime_ns
        for owner in sorted(self.hints):
            for key in [key for key, hint in self.hints[owner].items() if hint.since_ns < before_ns]:
                self.drop_hint(owner, key)

    def hand_over(self, owner: NodeId) -> None:
        """Send one batch, and wait for its answer."""
        held = self.hints[owner]
        batch = Handoff(tuple((key, held[key].clock) for key in sorted(held)[: self.settings.batch]))
        self.handing[owner] = self.node.monotonic_ns()
        self.node.send(owner, batch)
        self.node.emit(Background("handoff", len(batch.copies), len(encode(batch))))

    def on_handoff(self, keeper: NodeId, handoff: Handoff) -> None:
        """Merge what others kept for this node."""
        for key, clock in handoff.copies:
            self.merge(key, clock)
        self.node.send(keeper, HandedOff(tuple((key, fingerprint(clock)) for key, clock in handoff.copies)))

    def on_handed_off(self, owner: NodeId, answer: HandedOff) -> None:
        """Drop the hints that the owner has taken, unless they grew meanwhile; go on with the next batch."""
        self.handing.pop(owner, None)
        held = self.hints.get(owner, {})
        taken = [key for key, mark in answer.keys if key in held and fingerprint(held[key].clock) == mark]
        for key in taken:
            self.drop_hint(owner, key)
        if taken:
            self.node.emit(Hinted(owner, -len(taken)))
        if owner in self.hints and self.is_up(owner):
            self.hand_over(owner)

    handlers: ClassVar = {**Reads.handlers, Handoff: on_handoff, HandedOff: on_handed_off}
    timers: ClassVar = {**Reads.timers, "handoff": on_handoff_due}
    events: ClassVar[tuple[type[Event], ...]] = (*Reads.events, Hinted)
