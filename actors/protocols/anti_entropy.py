"""Anti-entropy: replicas compare their partitions' Merkle trees and exchange what differs.

Source: Dynamo §4.7. Every period a node picks one of its fellow owners; the roots of all partitions that both own
travel first, and only below roots that differ does the comparison go down, level by level. `full` compares every key
of every partition instead. One batch of keys an exchange; the rest differs still, and comes with the next.
"""

from typing import ClassVar

from actors.message import Message, NodeId
from actors.node import Node
from actors.protocols.dynamo_messages import Background, Compare, CompareKeys, CompareRoots, Copy, Repair
from actors.protocols.dynamo_replica import encode
from actors.protocols.dynamo_settings import DynamoSettings
from actors.protocols.hints import HintedHandoff
from actors.state.ring import Ring

WHOLE = -1  # in place of a leaf: all keys of the partition


class AntiEntropy(HintedHandoff):
    """Compares and repairs in the background."""

    def __init__(self, node: Node, settings: DynamoSettings) -> None:
        super().__init__(node, settings)
        self._sharing: tuple[Ring, dict[NodeId, tuple[int, ...]]] | None = None

    def start(self) -> None:
        super().start()
        self.partners = self.node.random("anti-entropy")
        if self.settings.anti_entropy != "none":
            self.node.set_timer("anti_entropy", 1 + self.partners.randrange(self.settings.anti_entropy_every_ns))

    def sharing(self) -> dict[NodeId, tuple[int, ...]]:
        """The partitions that this node owns together with each other one."""
        if self._sharing is None or self._sharing[0] is not self.ring:
            shared: dict[NodeId, list[int]] = {}
            for partition in self.ring.owned_by(self.node.id):
                for owner in self.ring.owners(partition):
                    if owner != self.node.id:
                        shared.setdefault(owner, []).append(partition)
            self._sharing = self.ring, {owner: tuple(found) for owner, found in sorted(shared.items())}
        return self._sharing[1]

    def on_anti_entropy_due(self) -> None:
        """Compare with one fellow owner, drawn at random from the healthy ones."""
        self.node.set_timer("anti_entropy", self.settings.anti_entropy_every_ns)
        sharing = self.sharing()
        able = [peer for peer in sharing if self.is_up(peer)]
        if not able:
            return
        peer = self.partners.choice(able)
        if self.settings.anti_entropy == "full":
            for partition in sharing[peer]:
                keys = tuple(sorted((key, self.fingerprints[key]) for key in self.tree(partition)))
                self.say(peer, CompareKeys(partition, (WHOLE,), keys))
        else:
            self.say(peer, CompareRoots(tuple((partition, self.tree(partition).root) for partition in sharing[peer])))

    def say(self, peer: NodeId, message: Message, keys: int = 0) -> None:
        """Send, and count the bytes."""
        self.node.send(peer, message)
        self.node.emit(Background("anti-entropy", keys, len(encode(message))))

    def on_compare_roots(self, peer: NodeId, compare: CompareRoots) -> None:
        """Go down where the roots differ."""
        for partition, root in compare.roots:
            tree = self.tree(partition)
            if tree.root != root:
                self.say(peer, Compare(partition, 0, (0,), tuple(tree.children(0, (0,)).items())))

    def on_compare(self, peer: NodeId, compare: Compare) -> None:
        """One level down, or to the keys."""
        tree = self.tree(compare.partition)
        below = tuple(tree.differing(compare.level, compare.nodes, dict(compare.hashes)))
        level = compare.level + 1
        if not below:
            return
        if level < tree.depth:
            hashes = tuple(tree.children(level, below).items())
            self.say(peer, Compare(compare.partition, level, below, hashes))
        else:
            keys = tuple(pair for leaf in below for pair in tree.bucket(leaf))
            self.say(peer, CompareKeys(compare.partition, below, keys))

    def on_compare_keys(self, peer: NodeId, compare: CompareKeys) -> None:
        """Send what the peer lacks or holds otherwise, and ask for what this node does."""
        tree, theirs = self.tree(compare.partition), dict(compare.keys)
        if compare.leaves == (WHOLE,):
            mine = {key: self.fingerprints[key] for key in tree}
        else:
            mine = {key: mark for leaf in compare.leaves for key, mark in tree.bucket(leaf)}
        differing = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
        if differing:
            batch = differing[: self.settings.batch]
            copies = self.copies([key for key in batch if key in mine])
            self.say(peer, Repair(copies, tuple(key for key in batch if key in theirs)), len(copies))

    def copies(self, keys: list[str]) -> tuple[Copy, ...]:
        return tuple((key, self.store[key].clock) for key in keys if key in self.store)

    def on_repair(self, peer: NodeId, repair: Repair) -> None:
        """Merge what came; send what the peer asked for."""
        for key, clock in repair.copies:
            self.merge(key, clock)
        copies = self.copies(list(repair.wanted))
        if copies:
            self.say(peer, Repair(copies), len(copies))

    handlers: ClassVar = {
        **HintedHandoff.handlers,
        CompareRoots: on_compare_roots,
        Compare: on_compare,
        CompareKeys: on_compare_keys,
        Repair: on_repair,
    }
    timers: ClassVar = {**HintedHandoff.timers, "anti_entropy": on_anti_entropy_due}
