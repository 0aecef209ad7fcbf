"""Which nodes keep a key: partitions of the key space, and the preference list of each.

The space of hashes is cut into equal partitions, which never change; what changes with the membership is who owns them.
A node has many tokens on the ring, and a partition belongs to the first distinct nodes met clockwise from its end
(Dynamo §4.2 and §6.2, strategy 2: random tokens, equal partitions). `modulo` and `range` are what consistent hashing
is measured against: hash partitions dealt out in turn, and partitions by first letter in blocks.

Everything is a pure function of frozen values; one `Ring` is shared by all nodes that see the same members.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, TypeAlias

import msgspec

from actors.message import NodeId

Partition: TypeAlias = int
Spread: TypeAlias = Literal["nodes", "racks", "regions"]
Partitioner: TypeAlias = Literal["ring", "modulo", "range"]

SPACE = 1 << 64
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Member(msgspec.Struct, frozen=True, order=True):
    """A node that owns keys. It stands at the tokens of `seat`: its own number, or that of the node it replaced."""

    node: NodeId
    seat: int
    region: str = ""
    rack: str = ""


class Layout(msgspec.Struct, frozen=True):
    """How keys are dealt to members."""

    replicas: int  # N
    partitions: int = 128
    tokens: int = 16  # of each member
    spread: Spread = "racks"
    partitioner: Partitioner = "ring"


def hash_of(text: str) -> int:
    """A place on the ring, 0..2^64-1, the same on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def partition_of(key: str, layout: Layout) -> Partition:
    """The partition of a key, whoever owns it now."""
    if layout.partitioner == "range":
        place = LETTERS.find(key[:1].lower())
        return max(place, 0) * layout.partitions // len(LETTERS)
    return hash_of(key) * layout.partitions >> 64


class Ring:
    """Who owns which partition, among these members."""

    def __init__(self, members: tuple[Member, ...], layout: Layout) -> None:
        """Members sorted; at least one."""
        self.members = members
        self.layout = layout
        self._regions = sorted({member.region for member in members})
        self._racks = {(member.region, member.rack) for member in members}
        self._tokens = sorted(
            (hash_of(f"token {member.seat}/{number}"), member)
            for member in (members if layout.partitioner == "ring" else ())
            for number in range(layout.tokens)
        )
        self._places = [token for token, _ in self._tokens]
        self._owners: dict[Partition, tuple[NodeId, ...]] = {}
        self._walks: dict[Partition, tuple[NodeId, ...]] = {}

    def owners(self, partition: Partition) -> tuple[NodeId, ...]:
        """The preference list: the N nodes that keep the partition's keys, the first one first."""
        found = self._owners.get(partition)
        if found is None:
            found = self._owners[partition] = tuple(member.node for member in self._choose(partition))
        return found

    def stand_ins(self, partition: Partition) -> tuple[NodeId, ...]:
        """Who takes an owner's place while it is down: the nodes that come next, as many as there are owners."""
        found = self._walks.get(partition)
        if found is None:
            owners, limit = self.owners(partition), self.layout.replicas
            after = []
            for member in self._walk(partition):
                if member.node not in owners:
                    after.append(member.node)
                    if len(after) == limit:
                        break
            found = self._walks[partition] = tuple(after)
        return found

    def owned_by(self, node: NodeId) -> tuple[Partition, ...]:
        """All partitions that a node keeps."""
        return tuple(number for number in range(self.layout.partitions) if node in self.owners(number))

    def _walk(self, partition: Partition) -> Iterator[Member]:
        """Distinct members in the order in which a partition prefers them."""
        layout, members = self.layout, self.members
        if layout.partitioner == "modulo":
            first = partition % len(members)
        elif layout.partitioner == "range":
            first = partition * len(members) // layout.partitions
        else:
            yield from self._clockwise(((partition + 1) * SPACE) // layout.partitions)
            return
        yield from members[first:]
        yield from members[:first]

    def _clockwise(self, place: int) -> Iterator[Member]:
        start = bisect_left(self._places, place)
        met = set()
        for offset in range(len(self._tokens)):
            _, member = self._tokens[(start + offset) % len(self._tokens)]
            if member.node not in met:
                met.add(member.node)
                yield member

    def _choose(self, partition: Partition) -> list[Member]:
        """The first N on the walk that the spread allows; it gives way before the number of replicas does."""
        replicas, spread = self.layout.replicas, self.layout.spread
        most = -(-replicas // len(self._regions)) if spread == "regions" else replicas
        chosen: list[Member] = []
        passed: list[Member] = []  # whose rack, or whose region, has enough already
        met: Counter[str] = Counter()  # by region
        for member in self._walk(partition):
            met[member.region] += 1
            racks = {(other.region, other.rack) for other in chosen} if spread != "nodes" else set()
            fits = (member.region, member.rack) not in racks and self._room(chosen, member, most)
            (chosen if fits else passed).append(member)
            if len(chosen) == replicas:
                return chosen
            if len(racks) == len(self._racks) and all(met[region] >= most for region in self._regions):
                break  # there is no rack left to look for, and enough have passed in each region
        for strict in (True, False):
            for member in passed:
                if len(chosen) < replicas and member not in chosen and (not strict or self._room(chosen, member, most)):
                    chosen.append(member)
        return chosen

    def _room(self, chosen: list[Member], member: Member, most: int) -> bool:
        """Whether a member's region may have one more."""
        return sum(other.region == member.region for other in chosen) < most


@lru_cache(maxsize=64)
def ring_of(members: tuple[Member, ...], layout: Layout) -> Ring:
    """The ring of these members; one object for all nodes of a process that see them alike."""
    return Ring(tuple(sorted(members)), layout)
