"""A snapshot: what a log's first entries amounted to, in items that can be sent a few at a time.

Source: Ongaro and Ousterhout 2014, §7; Ongaro's thesis, 2014, §5.1 and §6.3 (sessions are part of it).
"""

from typing import TypeAlias

from actors.message import Message, Value
from actors.state.configuration import Configuration
from actors.state.log import LogId


class KeptValue(Message, frozen=True):
    """One key of the state machine."""

    key: str
    value: Value


class KeptSession(Message, frozen=True):
    """What a client process was answered last, and the entry that it used last."""

    process: int
    serial: int
    error: str | None
    value: Value
    used: int


class KeptExpired(Message, frozen=True):
    """A client process whose session has expired: it never gets another one."""

    process: int


Item: TypeAlias = KeptValue | KeptSession | KeptExpired


class Snapshot(Message, frozen=True):
    """The state machine after the entry `last`, and the configuration in force there."""

    last: LogId
    configuration: Configuration
    items: tuple[Item, ...]

    def chunk(self, offset: int, most: int) -> tuple[Item, ...]:
        """At most `most` items from an offset on."""
        return self.items[offset : offset + most]


class Incoming(Message, frozen=True):
    """What has come so far of a snapshot, on the node that takes it."""

    last: LogId
    items: tuple[Item, ...] = ()
