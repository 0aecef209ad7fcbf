"""A node's disk as a model: records are written in order, one sync at a time makes all written so far durable.

A record is the tuple of all that a node's handlers asked to save in one step; it survives whole or not at all.
What a sync has not covered when a node crashes is lost, but for a drawn part: the first few records may have reached
the platter anyway.
"""

from itertools import islice
from random import Random
from typing import Any, Literal, TypeAlias

from actors.node import Stored

Record: TypeAlias = tuple[tuple[Any, ...], ...]
"""("save", facts), ("append", log, items), ("cut", log, length) and ("snapshot", state, log, items to drop from its
front), in the order asked for."""

FOLD_AT = 1024  # durable records that are kept before the image takes them in: only a restart looks at it


def apply_record(image: Stored, record: Record) -> None:
    """Bring what the disk holds up to date with one record. Raises ValueError for an unknown instruction."""
    if image.rotten:
        image.rotten.clear()  # the node was told when it started, and this is its answer
    for instruction in record:
        match instruction:
            case ("append", log, items):
                image.logs.setdefault(log, []).extend(items)
            case ("save", facts):
                image.facts.update(facts)
            case ("cut", log, length):
                del image.logs.setdefault(log, [])[length:]
            case ("rot", log, at):
                items = image.logs.setdefault(log, [])
                image.rotten[log] = len(items)
                del items[at:]
            case ("wipe",):
                image.facts.clear()
                image.logs.clear()
                image.snapshot = None
            case ("snapshot", state, log, drop):
                image.snapshot = state
                del image.logs.setdefault(log, [])[:drop]
            case _:
                raise ValueError(f"unknown disk instruction {instruction!r}")


Damage: TypeAlias = Literal["wiped", "rotten", "misdirected"]
"""What may happen to the disk of a node that is down: all is gone; a log's item is unreadable, so that its checksum
cuts the log off there; a read brings another item than the one asked for, once."""


def damage_done(image: Stored, damage: Damage, draw: Random) -> Record:
    """The instructions that do lasting damage to a disk; () if there is nothing to damage."""
    if damage == "wiped":
        return (("wipe",),)
    log = _drawn_log(image, draw)
    if damage == "misdirected" or log is None:
        return ()
    return (("rot", log, draw.randrange(len(image.logs[log]))),)


def misdirected(image: Stored, draw: Random) -> Stored:
    """What a read of this disk brings that mixes up two neighbours of a log."""
    logs = {name: list(items) for name, items in image.logs.items()}
    log = _drawn_log(image, draw)
    if log is not None and len(logs[log]) > 1:
        at = draw.randrange(len(logs[log]) - 1)
        logs[log][at] = logs[log][at + 1]
    return Stored(dict(image.facts), logs, image.snapshot)


def _drawn_log(image: Stored, draw: Random) -> str | None:
    logs = sorted(name for name, items in image.logs.items() if items)
    return draw.choice(logs) if logs else None


def torn(record: Record) -> Record:
    """The first half of a record: of its last instruction half the items, or all instructions but the last."""
    match record[-1:]:
        case (("append", log, items),) if len(items) > 1:
            return (*record[:-1], ("append", log, items[: len(items) // 2]))
    return record[:-1]


class Disk:
    """What was asked for, what is durable. Marks count records: 1 is the first."""

    __slots__ = ("_folded", "_gap", "_image", "_records", "asked", "durable", "lying", "syncing")

    def __init__(self, image: Stored) -> None:
        self.asked = 0
        self.durable = 0
        self.syncing = False
        self.lying = False  # the sync at work writes nothing
        self._gap = False  # something before the records behind is missing for good
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
        if self.lying:
            self._forget(mark)
        self.durable = mark
        if mark - self._folded >= FOLD_AT:
            self._fold(mark)

    def grows(self) -> bool:
        """Whether what waits for a sync makes a log longer, which takes room."""
        return any(instruction[0] == "append" for record in self.unsynced() for instruction in record)

    def tear(self) -> Record:
        """Write half of the next record and lose the rest of it, with all that follows. Returns that half."""
        self._fold(self.durable)
        half = torn(self._records[0]) if self._records else ()
        self._records.clear()
        self._gap = True
        apply_record(self._image, half)
        return half

    def _forget(self, mark: int) -> None:
        """A sync has lied: what it should have covered is in no file."""
        self._fold(self.durable)
        del self._records[: mark - self.durable]
        self._folded = mark
        self.lying, self._gap = False, True

    def load(self) -> Stored:
        """What is durable, as a copy."""
        self._fold(self.durable)
        logs = {name: list(items) for name, items in self._image.logs.items()}
        return Stored(dict(self._image.facts), logs, self._image.snapshot, dict(self._image.rotten))

    def crash(self, draw: Random) -> Stored:
        """What is on disk after a crash: the durable records and a drawn number of the following ones.

        Those count as durable from now on; `unsynced` gives the records that are lost.
        """
        kept = draw.randint(0, self.asked - self.durable)
        self.durable += 0 if self._gap else kept  # behind a gap nothing can be kept
        self._fold(self.durable)
        return self._image

    def _fold(self, mark: int) -> None:
        """Let the image take in the records up to a mark."""
        count = mark - self._folded
        for record in islice(self._records, count):
            apply_record(self._image, record)
        del self._records[:count]
        self._folded = mark


class Misread(Disk):
    """A disk whose first read mixes up two items of a log; what it holds is right."""

    __slots__ = ("_draw",)

    def __init__(self, image: Stored, draw: Random) -> None:
        super().__init__(image)
        self._draw = draw

    def load(self) -> Stored:
        """See `Disk.load`."""
        return misdirected(super().load(), self._draw)
