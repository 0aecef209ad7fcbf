"""A host's disk on the Ray fabric: one append-only log file for all its nodes, synced by a thread of its own.

Beside the log lie marks, one a node: up to which byte of the log its records are durable, as the disk model sees it. A
mark moves when the modelled fsync has ended, before anybody is told, and needs no sync of its own, for a killed process
loses nothing of the page cache. On a restart each node keeps its records up to its mark and a drawn number of those
behind it: a crash loses here what it would lose on the simulator.
"""

import errno
import os
import queue
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from struct import Struct
from typing import Any, NamedTuple

import msgspec

from actors.message import NodeId
from actors.node import Actor, Stored
from cluster.disk import Record, apply_record

_FRAME = Struct("<II")  # length and CRC-32 of the payload
_MARK = Struct("<Q")

VOID = "void"

Written = tuple[NodeId, Record]
Job = tuple[bytes, Callable[[int], None]]


class FileDisk:
    """Appends records; tells when they are written, and durable as far as the machine's own disk is concerned."""

    def __init__(self, folder: Path, host: str, *, sync: bool, failed: Callable[[OSError], None] | None = None) -> None:
        """`failed` is told, on the disk's thread, what ended it: it syncs nothing more then."""
        folder.mkdir(parents=True, exist_ok=True)
        self._log_path, self._mark_path = folder / f"{host}.log", folder / f"{host}.marks"
        self._sync = sync
        self._failed = failed
        self._encode = msgspec.msgpack.Encoder().encode
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="disk", daemon=True)

    def recover(self, draw: Random) -> list[Written]:
        """Take away what a crash loses, then open the log for writing. Returns its records, in order.

        Must be called once, before the first write.
        """
        data = self._log_path.read_bytes() if self._log_path.exists() else b""
        kept = _survivors(data, self._marks(), draw)
        fresh = self._log_path.with_suffix(".new")
        fresh.write_bytes(b"".join(data[found.begin : found.end] for found in kept))
        os.replace(fresh, self._log_path)
        self._log = os.open(self._log_path, os.O_WRONLY | os.O_APPEND)
        self._mark = os.open(self._mark_path, os.O_WRONLY | os.O_CREAT, 0o600)
        self._length = sum(found.end - found.begin for found in kept)
        for node in {found.node for found in kept}:
            self.confirm(node, self._length)
        self._thread.start()
        return [(found.node, found.record) for found in kept]

    def _marks(self) -> dict[NodeId, int]:
        if not self._mark_path.exists():
            return {}
        data = self._mark_path.read_bytes()
        return {node: mark for node, (mark,) in enumerate(_MARK.iter_unpack(data)) if mark}

    def write(self, node: NodeId, records: list[Record], done: Callable[[int], None]) -> int | None:
        """Write records, and sync them if this disk syncs.

        Returns: where they end, if that was done at once; else None, and `done` is told so later, on the disk's thread.
        """
        parts = []
        for record in records:
            payload = self._encode((node, record))
            parts.append(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
        data = b"".join(parts)
        if self._sync:
            self._jobs.put((data, done))
            return None
        return self._append(data)

    def confirm(self, node: NodeId, end: int) -> None:
        """From now on this node's records up to there count as durable."""
        os.pwrite(self._mark, _MARK.pack(end), node * _MARK.size)

    def close(self) -> None:
        """Finish what was handed over."""
        self._jobs.put(None)
        self._thread.join()
        os.close(self._log)
        os.close(self._mark)

    def _append(self, data: bytes) -> int:
        if os.write(self._log, data) < len(data):
            raise OSError(errno.ENOSPC, f"no space left on the disk of {self._log_path}")
        self._length += len(data)
        return self._length

    def _work(self) -> None:
        try:
            self._write_all()
        except OSError as error:
            if self._failed is None:
                raise
            self._failed(error)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, last = [job], False
            while not self._jobs.empty():  # group commit: one sync for all that has gathered
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                jobs.append(following)
            ends = [self._append(data) for data, _ in jobs]
            os.fdatasync(self._log)
            for (_, done), end in zip(jobs, ends, strict=True):
                done(end)
            if last:
                return


class Found(NamedTuple):
    """A record as it lies in a log."""

    node: NodeId
    record: Record
    begin: int
    end: int


def _survivors(data: bytes, marks: Mapping[NodeId, int], draw: Random) -> list[Found]:
    """What a crash leaves of a log: of each node all that is durable, and the first few records behind that."""
    found = list(_whole_records(data))
    behind = Counter(record.node for record in found if record.end > marks.get(record.node, 0))
    spared = {node: draw.randint(0, behind[node]) for node in sorted(behind)}
    kept = []
    for record in found:
        if record.end > marks.get(record.node, 0):
            if not spared[record.node]:
                continue
            spared[record.node] -= 1
        kept.append(record)
    return kept


def _whole_records(data: bytes) -> Iterator[Found]:
    """The records up to the first that is torn."""
    at = 0
    while at + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        begin, at = at, at + _FRAME.size + length
        payload = data[begin + _FRAME.size : at]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            return
        node, record = msgspec.msgpack.decode(payload)
        yield Found(node, tuple(map(tuple, record)), begin, at)


def void(count: int) -> Record:
    """A record that voids the last `count` records of its node: a crash within a living host has lost them."""
    return ((VOID, count),)


def images(records: list[Written], kind_of: Callable[[NodeId], type[Actor]]) -> dict[NodeId, Stored]:
    """What each node's disk holds after these records, log items and snapshots as the types that the actor names."""
    valid: dict[NodeId, list[Record]] = {}
    for node, record in records:
        own = valid.setdefault(node, [])
        if record[0][0] == VOID:
            del own[len(own) - record[0][1] :]
        else:
            own.append(record)
    found = {node: Stored() for node in valid}
    for node, own in valid.items():
        for record in own:
            apply_record(found[node], tuple(_typed(instruction, kind_of(node)) for instruction in record))
    return found


def _typed(instruction: tuple[Any, ...], kind: type[Actor]) -> tuple[Any, ...]:
    match instruction:
        case ("append", log, items):
            item_type: Any = kind.logs[log]
            return "append", log, msgspec.convert(items, list[item_type])
        case ("snapshot", state, log, drop):
            return "snapshot", msgspec.convert(state, kind.snapshot_type), log, drop
    return instruction
