"""A replicated log in memory: entries numbered from 1, each with the term in which a leader made it.

What a snapshot holds may be cut off its front: the log then begins behind `base`, the last entry cut off.
"""

from collections.abc import Sequence

import msgspec

from actors.client import Command
from actors.message import Message
from actors.state.configuration import Configuration


class LogId(Message, order=True, frozen=True):
    """The place of an entry. Ordered as Raft compares logs: the later term wins, then the greater index (§5.4.1)."""

    term: int
    index: int


BEFORE_FIRST = LogId(0, 0)


class Entry(Message, frozen=True):
    """One entry; its command is None for the empty entry with which a leader begins its term."""

    term: int
    command: Command | Configuration | None


class Log(msgspec.Struct):
    """Entries first_index..last_index. Out-of-range reads are a caller's bug, and raise IndexError."""

    entries: list[Entry] = []
    start: int = 0  # the index of the entry before the first one here; committed, and part of a snapshot
    start_term: int = 0

    @property
    def base(self) -> LogId:
        """The place behind which the log begins."""
        return LogId(self.start_term, self.start)

    @property
    def last_index(self) -> int:
        return self.start + len(self.entries)

    @property
    def last_id(self) -> LogId:
        return LogId(self.entries[-1].term if self.entries else self.start_term, self.last_index)

    def id_at(self, index: int) -> LogId:
        """The id of the entry at an index, from `base` on."""
        return LogId(self.term_at(index), index)

    def term_at(self, index: int) -> int:
        place = index - self.start - 1
        if place >= 0:
            return self.entries[place].term
        if place == -1:
            return self.start_term
        raise IndexError(f"log index {index}: entries count from {self.start + 1}")

    def __getitem__(self, index: int) -> Entry:
        place = index - self.start - 1
        if place < 0:
            raise IndexError(f"log index {index}: entries count from {self.start + 1}")
        return self.entries[place]

    def after(self, index: int, most: int) -> tuple[Entry, ...]:
        """At most `most` entries behind an index, which is not before `base`."""
        place = index - self.start
        return tuple(self.entries[place : place + most])

    def holds(self, place: LogId) -> bool:
        """Whether this log has that entry, and so everything before it (the log matching property, §5.3)."""
        index = place.index
        return self.start <= index <= self.start + len(self.entries) and self.term_at(index) == place.term

    def first_conflict(self, after: int, entries: Sequence[Entry]) -> int | None:
        """How many of the entries stand here already behind `after`; None if all do."""
        own = self.entries
        behind = after - self.start
        for offset, entry in enumerate(entries):
            place = behind + offset
            if place >= len(own) or own[place].term != entry.term:
                return offset
        return None

    def extend(self, entries: Sequence[Entry]) -> None:
        self.entries.extend(entries)

    def cut(self, last: int) -> None:
        """Keep the entries up to this index, which is not before `base`."""
        del self.entries[last - self.start :]

    def compact(self, index: int) -> int:
        """Drop the entries up to this one, which is here; returns how many they were."""
        term, count = self.term_at(index), index - self.start
        del self.entries[:count]
        self.start, self.start_term = index, term
        return count

    def begin_behind(self, place: LogId) -> None:
        """Hold nothing but that a snapshot ends at this place."""
        self.entries.clear()
        self.start, self.start_term = place.index, place.term

    def start_of_term(self, index: int) -> int:
        """The index of the first entry here of the run of equal terms that `index` is in."""
        term = self.term_at(index)
        while index > self.start + 1 and self.term_at(index - 1) == term:
            index -= 1
        return index


ENTRY_BYTES = 32  # of an entry besides its key and value, about


def size_bytes(entry: Entry) -> int:
    """About how much an entry weighs, in memory and on the wire."""
    command = entry.command
    if type(command) is not Command:
        return ENTRY_BYTES
    value = command.value
    parts = value if isinstance(value, tuple) else (value,)
    return ENTRY_BYTES + len(command.key) + sum(len(part) if isinstance(part, str) else 8 for part in parts)
