"""A key-value state machine with exactly-once application of client commands.

Commands are applied in log order on every replica. The replies of each client process are remembered by its last
serial, so that a command that arrives twice takes effect once (Ongaro, "Consensus: bridging theory and practice",
2014, §6.3). A process runs one operation at a time, hence one reply a process is enough.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, TypeAlias

import msgspec

from actors.client import Command
from actors.message import Value
from actors.state.snapshot import Item, KeptExpired, KeptSession, KeptValue

Answer: TypeAlias = tuple[str | None, Value]
"""(error or None, value)"""


class Session(msgspec.Struct, frozen=True):
    """What a client process was answered last."""

    serial: int
    error: str | None
    value: Value
    used: int = 0  # the log's entry that used it last


class KeyValue(msgspec.Struct):
    """The state: values by key, sessions by process. Absent keys read as None."""

    values: dict[str, Value] = {}
    sessions: dict[int, Session] = {}
    expired: dict[int, None] = {}  # processes whose session was dropped: what they sent may come once more

    def apply(self, command: Command, at: int = 0) -> Answer:
        """Carry out a command once; a repeated one gets the remembered answer.

        Args:
            at: the index of the command's entry in the log.

        Returns: (None, value read or written) or (error of `actors.errors.ERRORS`, the value that was found).
        """
        session = self.sessions.get(command.process)
        if session is not None and command.serial <= session.serial:
            return session.error, session.value
        if self.expired and command.process in self.expired:
            return "session-expired", None
        error, value = self.functions[command.function](self, command.key, command.value)
        self.sessions[command.process] = Session(command.serial, error, value, at)
        return error, value

    def peek(self, key: str) -> Value:
        """Read outside the log; leaves no trace."""
        return self.values.get(key)

    def expire(self, used_before: int) -> None:
        """Drop the sessions that no entry from this index on has used; the same on every replica at the same entry."""
        idle = [process for process, session in self.sessions.items() if session.used < used_before]
        for process in sorted(idle):
            del self.sessions[process]
            self.expired[process] = None

    def items(self) -> tuple[Item, ...]:
        """All of the state, in an order that is the same on every replica."""
        return (
            *(KeptValue(key, self.values[key]) for key in sorted(self.values)),
            *(
                KeptSession(process, session.serial, session.error, session.value, session.used)
                for process, session in sorted(self.sessions.items())
            ),
            *(KeptExpired(process) for process in sorted(self.expired)),
        )

    def load(self, items: Iterable[Item]) -> None:
        """Become the state that `items` gave; its inverse."""
        self.values, self.sessions, self.expired = {}, {}, {}
        for item in items:
            match item:
                case KeptValue():
                    self.values[item.key] = item.value
                case KeptSession():
                    self.sessions[item.process] = Session(item.serial, item.error, item.value, item.used)
                case KeptExpired():
                    self.expired[item.process] = None

    def read(self, key: str, _: Value) -> Answer:
        """The value, None if never written."""
        return None, self.values.get(key)

    def write(self, key: str, value: Value) -> Answer:
        """Replace the value."""
        self.values[key] = value
        return None, value

    def compare_and_set(self, key: str, change: Value) -> Answer:
        """`change` is (expected, new): replace the value if it is the expected one."""
        assert isinstance(change, tuple)
        expected, new = change
        found = self.values.get(key)
        if found != expected:
            return "compare-failed", found
        self.values[key] = new
        return None, new

    def append(self, key: str, item: Value) -> Answer:
        """Add an item to the list at this key; an absent key is an empty list."""
        found = self.values.get(key, ())
        if not isinstance(found, tuple) or isinstance(item, tuple):
            return "wrong-type", found
        self.values[key] = (*found, item)
        return None, item

    functions: ClassVar[Mapping[str, Callable[["KeyValue", str, Value], Answer]]] = {
        "read": read,
        "write": write,
        "cas": compare_and_set,
        "append": append,
    }
