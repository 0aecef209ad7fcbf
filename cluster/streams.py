"""Seeded random streams by name: adding a draw in one place moves nothing elsewhere."""

from hashlib import blake2b
from random import Random


def stream(seed: int, *names: object) -> Random:
    """The stream of this name: the same for the same seed and names on any machine, unrelated to all others."""
    text = "/".join((str(seed), *map(str, names)))
    return Random(int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "little"))
