"""What travels and what is told: frozen values, the same in memory, on the wire and in a journal.

A message is its own wire form: msgspec encodes it as a MessagePack array whose first item is the class name.
Fields hold immutable values only (numbers, strings, tuples of them, other messages), so that a fabric may pass
them by reference and a receiver can't change what a sender still holds.
"""

from typing import TypeAlias

import msgspec

NodeId: TypeAlias = int
"""A node: 0..n-1 are the servers (`n1`.. at the edges), the client nodes follow (`c1`..)."""

Atom: TypeAlias = int | float | str | bool | None
Value: TypeAlias = Atom | tuple[Atom, ...]
"""What an operation may read or write."""


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """One message between nodes. Subclass it; every field is immutable."""


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Something that observers may see: a change of role, a commit, an operation's start. Emitted by actors."""
