"""What a key's sibling holds: a value, or the mark that it was deleted; and who writes it."""

from typing import NamedTuple

import msgspec

from actors.clocks.vector import ActorId
from actors.message import Message, Value

NEVER = -1


class Content(Message, frozen=True):
    """One sibling. A deleted one, a tombstone, stays until no replica can bring back what it deleted."""

    value: Value
    deleted_ns: int = NEVER  # wall clock of the coordinator that deleted it

    @property
    def is_tombstone(self) -> bool:
        return self.deleted_ns != NEVER


class Writer(NamedTuple):
    """Who makes an event: the replica that coordinates it, for which client, at what time of its wall clock."""

    replica: ActorId
    client: ActorId
    now_ns: int


_encode = msgspec.msgpack.Encoder().encode


def rank(content: Content) -> tuple[bool, bytes]:
    """An order of contents that every replica finds alike: a tombstone beats a value, then the larger encoding wins."""
    return content.is_tombstone, _encode(content)
