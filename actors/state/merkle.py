"""Merkle trees over a partition's keys: two replicas find the keys that differ by comparing few hashes.

A leaf is a bucket of keys; its hash is the exclusive or of its keys' hashes, so that a change costs one leaf and the
path above it, and the order of changes doesn't matter. The tree is kept up to date with every change of a key.

Source: Merkle, "A digital signature based on a conventional encryption function", 1987; Dynamo §4.7.
"""

from collections.abc import Iterable, Iterator, Mapping

from actors.state.ring import hash_of

FANOUT = 16


class Merkle:
    """A tree of `depth` levels below its root, with FANOUT children a node. Nodes are numbered level by level."""

    def __init__(self, depth: int = 2) -> None:
        self.depth = depth
        self._mask: int = FANOUT**depth - 1
        self._levels = [[0] * FANOUT**level for level in range(depth + 1)]
        self._hashes: dict[str, int] = {}
        self._buckets: dict[int, set[str]] = {}

    @property
    def root(self) -> int:
        """0 if there are no keys."""
        return self._levels[0][0]

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order in which they came."""
        return iter(self._hashes)

    def put(self, key: str, fingerprint: int) -> None:
        """A key's content has this fingerprint now; 0 takes the key out."""
        bucket = self.bucket_of(key)
        former = self._hashes.pop(key, 0)
        if fingerprint:
            self._hashes[key] = fingerprint
            self._buckets.setdefault(bucket, set()).add(key)
        elif former:
            self._buckets[bucket].discard(key)
        change = (leaf_hash(key, former) if former else 0) ^ (leaf_hash(key, fingerprint) if fingerprint else 0)
        for level in range(self.depth, -1, -1):
            self._levels[level][bucket] ^= change
            bucket //= FANOUT

    def bucket_of(self, key: str) -> int:
        """The leaf that a key belongs to."""
        return hash_of(key) & self._mask

    def children(self, level: int, nodes: Iterable[int]) -> dict[int, int]:
        """The hashes one level below some nodes of a level, but for those that are 0 (empty)."""
        below = self._levels[level + 1]
        return {
            child: below[child] for node in nodes for child in range(node * FANOUT, (node + 1) * FANOUT) if below[child]
        }

    def differing(self, level: int, nodes: Iterable[int], theirs: Mapping[int, int]) -> list[int]:
        """Of the children of these nodes, those whose hash is another one there."""
        mine = self.children(level, nodes)
        return sorted(child for child in mine.keys() | theirs.keys() if mine.get(child) != theirs.get(child))

    def bucket(self, number: int) -> Iterator[tuple[str, int]]:
        """The keys of a leaf with their fingerprints, in order."""
        for key in sorted(self._buckets.get(number, ())):
            yield key, self._hashes[key]


def leaf_hash(key: str, fingerprint: int) -> int:
    """What one key adds to its leaf."""
    return hash_of(f"{key}\n{fingerprint}")
