"""Collection of tombstones: when a deleted key may be forgotten.

A tombstone must outlive every copy of what it deleted, or such a copy comes back as if it were new. `grace` forgets
after a time and hopes that every replica was repaired within it (Cassandra's gc_grace). `confirmed` forgets after that
time and only once *all* owners have said that they hold just this tombstone; hints must have expired by then, which
the settings see to. An owner that forgot alone gets the tombstone back by anti-entropy, and asks again later.
"""

from typing import ClassVar

from actors.message import Event, NodeId
from actors.node import Node
from actors.protocols.anti_entropy import AntiEntropy
from actors.protocols.dynamo_messages import AskForgotten, Collected, Forget, Record, SameHeld
from actors.protocols.dynamo_replica import live
from actors.protocols.dynamo_settings import DynamoSettings

LOOKS = 4  # a grace period


class Tombstones(AntiEntropy):
    """Forgets deleted keys."""

    volatile: ClassVar = {
        **AntiEntropy.volatile,
        "deleted_ns": dict[str, int],
        "confirmed": dict[str, tuple[int, tuple[NodeId, ...]]],
    }

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self.deleted_ns: dict[str, int] = {}  # since when a key is nothing but tombstones here
        self.confirmed: dict[str, tuple[int, tuple[NodeId, ...]]] = {}  # fingerprint, and who holds the same

    def start(self) -> None:
        super().start()
        if self.settings.tombstones != "keep":
            self.node.set_timer("collect", self.settings.tombstone_grace_ns // LOOKS + 1)

    def index(self, key: str, record: Record) -> int:
        """See `Replica.index`; notes since when the key is deleted."""
        if live(record.clock):
            self.deleted_ns.pop(key, None)
        else:
            self.deleted_ns[key] = self.node.monotonic_ns()
        return super().index(key, record)

    def forget(self, key: str) -> None:
        super().forget(key)
        self.deleted_ns.pop(key, None)
        self.confirmed.pop(key, None)

    def on_collect(self) -> None:
        """Look at what has been deleted for long enough."""
        self.node.set_timer("collect", self.settings.tombstone_grace_ns // LOOKS + 1)
        before_ns = self.node.monotonic_ns() - self.settings.tombstone_grace_ns
        ripe = sorted(key for key, since_ns in self.deleted_ns.items() if since_ns <= before_ns)
        for key in ripe[: self.settings.batch]:
            if self.settings.tombstones == "grace":
                self.collect(key)
            else:
                self.ask_to_forget(key)

    def collect(self, key: str) -> None:
        self.forget(key)
        self.node.emit(Collected(key))

    def fellow_owners(self, key: str) -> tuple[NodeId, ...]:
        """All owners by all rings but this node, each once."""
        partition = self.partition(key)
        owners = (owner for ring in self.write_rings() for owner in ring.owners(partition))
        return tuple(owner for owner in dict.fromkeys(owners) if owner != self.node.id)

    def ask_to_forget(self, key: str) -> None:
        """The first owner asks all others whether they hold the same."""
        if self.ring.owners(self.partition(key))[0] != self.node.id:
            return
        mark = self.fingerprint_of(key)
        self.confirmed[key] = (mark, ())
        for owner in self.fellow_owners(key):
            self.node.send(owner, AskForgotten(key, mark))
        self.forget_if_confirmed(key)

    def on_ask_forgotten(self, peer: NodeId, ask: AskForgotten) -> None:
        if self.fingerprint_of(ask.key) == ask.fingerprint and ask.key in self.deleted_ns:
            self.node.send(peer, SameHeld(ask.key, ask.fingerprint))

    def on_same_held(self, peer: NodeId, answer: SameHeld) -> None:
        mark, holders = self.confirmed.get(answer.key, (0, ()))
        if mark == answer.fingerprint and peer not in holders:
            self.confirmed[answer.key] = (mark, (*holders, peer))
            self.forget_if_confirmed(answer.key)

    def forget_if_confirmed(self, key: str) -> None:
        """All owners hold the same tombstone: it has nothing left to do."""
        mark, holders = self.confirmed[key]
        fellows = self.fellow_owners(key)
        if self.fingerprint_of(key) == mark and self.is_confirmed(fellows, holders):
            for owner in fellows:
                self.node.send(owner, Forget(key, mark))
            self.collect(key)

    def is_confirmed(self, fellows: tuple[NodeId, ...], holders: tuple[NodeId, ...]) -> bool:
        return set(fellows) <= set(holders)

    def on_forget(self, _: NodeId, message: Forget) -> None:
        if self.fingerprint_of(message.key) == message.fingerprint and message.key in self.deleted_ns:
            self.collect(message.key)

    handlers: ClassVar = {
        **AntiEntropy.handlers,
        AskForgotten: on_ask_forgotten,
        SameHeld: on_same_held,
        Forget: on_forget,
    }
    timers: ClassVar = {**AntiEntropy.timers, "collect": on_collect}
    events: ClassVar[tuple[type[Event], ...]] = (*AntiEntropy.events, Collected)
