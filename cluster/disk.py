"""A node's disk as a model: records are written in order, one sync at a time makes all written so far durable.

A record is the tuple of all that a node's handlers asked to save in one step; it survives whole or not at all.
What a sync has not covered when a node crashes is lost, but for a drawn part: the first few records may have reached
the platter anyway.
"""

from collections import deque
from random import Random
from typing import Any, TypeAlias

from actors.node import Stored

Record: TypeAlias = tuple[tuple[Any, ...], ...]
"""("save", facts), ("append", log, items), ("cut", log, length) and ("snapshot", state, log, items to drop from its
front), in the order asked for."""


def apply_record(image: Stored, record: Record) -> None:
    """Bring what the disk holds up to date with one record. Raises ValueError for an unknown instruction."""
    for instruction in record:
        match instruction:
            case ("save", facts):
                image.facts.update(facts)
            case ("append", log, items):
                image.logs.setdefault(log, []).extend(items)
            case ("cut", log, length):
                del image.logs.setdefault(log, [])[length:]
            case ("snapshot", state, log, drop):
                image.snapshot = state
                del image.logs.setdefault(log, [])[:drop]
            case _:
                raise ValueError(f"unknown disk instruction {instruction!r}")


class Disk:
    """What was asked for, what is durable. Marks count records: 1 is the first."""

    def __init__(self, image: Stored) -> None:
        self.asked = 0
        self.durable = 0
        self.syncing = False
        self._image = image
        self._unsynced: deque[Record] = deque()

    def write(self, record: Record) -> int:
        """Hand over a record; returns its mark."""
        self._unsynced.append(record)
        self.asked += 1
        return self.asked

    def begin_sync(self) -> int:
        """Start a sync of all that was asked for; returns the mark that it will make durable."""
        self.syncing = True
        return self.asked

    def unsynced(self) -> list[Record]:
        """The records that no sync has covered so far."""
        return list(self._unsynced)

    def end_sync(self, mark: int) -> None:
        """A sync that was begun has come to its end."""
        self.syncing = False
        while self.durable < mark:
            apply_record(self._image, self._unsynced.popleft())
            self.durable += 1

    def load(self) -> Stored:
        """What is durable, as a copy."""
        logs = {name: list(items) for name, items in self._image.logs.items()}
        return Stored(dict(self._image.facts), logs, self._image.snapshot)

    def crash(self, draw: Random) -> Stored:
        """What is on disk after a crash: the durable records and a drawn number of the following ones."""
        for _ in range(draw.randint(0, len(self._unsynced))):
            apply_record(self._image, self._unsynced.popleft())
        return self._image
