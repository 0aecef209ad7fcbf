"""A node's disk as a model: records are written in order, one sync at a time makes all written so far durable.

A record is the tuple of all that a node's handlers asked to save in one step; it survives whole or not at all.
What a sync has not covered when a node crashes is lost, but for a drawn part: the first few records may have reached
the platter anyway.
"""

from itertools import islice
from random import Random
from typing import Any, TypeAlias

from actors.node import Stored

Record: TypeAlias = tuple[tuple[Any, ...], ...]
"""("save", facts), ("append", log, items), ("cut", log, length) and ("snapshot", state, log, items to drop from its
front), in the order asked for."""

FOLD_AT = 1024  # durable records that are kept before the image takes them in: only a restart looks at it


def apply_record(image: Stored, record: Record) -> None:
    """Bring what the disk holds up to date with one record. Raises ValueError for an unknown instruction."""
    for instruction in record:
        match instruction:
            case ("append", log, items):
                image.logs.setdefault(log, []).extend(items)
            case ("save", facts):
                image.facts.update(facts)
            case ("cut", log, length):
                del image.logs.setdefault(log, [])[length:]
            case ("snapshot", state, log, drop):
                image.snapshot = state
                del image.logs.setdefault(log, [])[:drop]
            case _:
                raise ValueError(f"unknown disk instruction {instruction!r}")


class Disk:
    """What was asked for, what is durable. Marks count records: 1 is the first."""

    __slots__ = ("_folded", "_image", "_records", "asked", "durable", "syncing")

    def __init__(self, image: Stored) -> None:
        self.asked = 0
        self.durable = 0
        self.syncing = False
        self._image = image
        self._folded = 0  # the image holds the records up to here
        self._records: list[Record] = []  # those behind

    def write(self, record: Record) -> int:
        """Hand over a record; returns its mark."""
        self._records.append(record)
        self.asked += 1
        return self.asked

    def begin_sync(self) -> int:
        """Start a sync of all that was asked for; returns the mark that it will make durable."""
        self.syncing = True
        return self.asked

    def unsynced(self) -> list[Record]:
        """The records that no sync has covered so far."""
        return self._records[self.durable - self._folded :]

    def end_sync(self, mark: int) -> None:
        """A sync that was begun has come to its end."""
        self.syncing = False
        self.durable = mark
        if mark - self._folded >= FOLD_AT:
            self._fold(mark)

    def load(self) -> Stored:
        """What is durable, as a copy."""
        self._fold(self.durable)
        logs = {name: list(items) for name, items in self._image.logs.items()}
        return Stored(dict(self._image.facts), logs, self._image.snapshot)

    def crash(self, draw: Random) -> Stored:
        """What is on disk after a crash: the durable records and a drawn number of the following ones.

        Those count as durable from now on; `unsynced` gives the records that are lost.
        """
        self.durable += draw.randint(0, self.asked - self.durable)
        self._fold(self.durable)
        return self._image

    def _fold(self, mark: int) -> None:
        """Let the image take in the records up to a mark."""
        count = mark - self._folded
        for record in islice(self._records, count):
            apply_record(self._image, record)
        del self._records[:count]
        self._folded = mark
