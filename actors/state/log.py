"""A replicated log in memory: entries numbered from 1, each with the term in which a leader made it."""

from collections.abc import Sequence

import msgspec

from actors.client import Command
from actors.message import Message


class LogId(Message, order=True, frozen=True):
    """The place of an entry. Ordered as Raft compares logs: the later term wins, then the greater index (§5.4.1)."""

    term: int
    index: int


BEFORE_FIRST = LogId(0, 0)


class Entry(Message, frozen=True):
    """One entry; its command is None for the empty entry with which a leader begins its term."""

    term: int
    command: Command | None


class Log(msgspec.Struct):
    """Entries 1..last_index. Out-of-range reads are a caller's bug, and raise IndexError."""

    entries: list[Entry] = []

    @property
    def last_index(self) -> int:
        return len(self.entries)

    @property
    def last_id(self) -> LogId:
        return LogId(self.entries[-1].term, len(self.entries)) if self.entries else BEFORE_FIRST

    def id_at(self, index: int) -> LogId:
        """The id of the entry at an index; index 0 is the place before the first."""
        return LogId(self.entries[index - 1].term, index) if index else BEFORE_FIRST

    def term_at(self, index: int) -> int:
        return self.entries[index - 1].term if index else 0

    def __getitem__(self, index: int) -> Entry:
        if index < 1:
            raise IndexError(f"log index {index}: entries count from 1")
        return self.entries[index - 1]

    def after(self, index: int, most: int) -> tuple[Entry, ...]:
        """At most `most` entries behind an index."""
        return tuple(self.entries[index : index + most])

    def holds(self, place: LogId) -> bool:
        """Whether this log has that entry, and so everything before it (the log matching property, §5.3)."""
        return place.index <= len(self.entries) and self.term_at(place.index) == place.term

    def first_conflict(self, after: int, entries: Sequence[Entry]) -> int | None:
        """How many of the entries stand here already behind `after`; None if all do."""
        own = self.entries
        for offset, entry in enumerate(entries):
            place = after + offset
            if place >= len(own) or own[place].term != entry.term:
                return offset
        return None

    def extend(self, entries: Sequence[Entry]) -> None:
        self.entries.extend(entries)

    def cut(self, length: int) -> None:
        """Keep the first `length` entries."""
        del self.entries[length:]

    def start_of_term(self, index: int) -> int:
        """The index of the first entry of the run of equal terms that `index` is in."""
        term = self.term_at(index)
        while index > 1 and self.entries[index - 2].term == term:
            index -= 1
        return index
