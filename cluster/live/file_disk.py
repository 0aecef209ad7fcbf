"""A host's disk on the Ray fabric: one append-only log file for all its nodes, synced by a thread of its own.

Beside the log lies a mark: how many of its bytes are synced. The mark is written after each sync and before anybody
is told; it needs no sync of its own, for a killed process loses nothing of the page cache. On a restart the log is cut
at the mark, but for a drawn number of records behind it: a crash loses here what it would lose on the simulator.
"""

import os
import queue
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from struct import Struct
from typing import Any

import msgspec

from actors.message import NodeId
from actors.node import Actor, Stored
from cluster.disk import Record, apply_record

_FRAME = Struct("<II")  # length and CRC-32 of the payload
_MARK = Struct("<Q")

VOID = "void"

Written = tuple[NodeId, Record]
Job = tuple[bytes, Callable[[], None]]


class FileDisk:
    """Appends records; tells when they are durable."""

    def __init__(self, folder: Path, host: str, *, sync: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log_path, self._mark_path = folder / f"{host}.log", folder / f"{host}.mark"
        self._sync = sync
        self._encode = msgspec.msgpack.Encoder().encode
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="disk", daemon=True)

    def recover(self, draw: Random) -> list[Written]:
        """Cut off what a crash loses, then open the log for writing. Returns its records, in order.

        Must be called once, before the first write.
        """
        mark = _MARK.unpack(self._mark_path.read_bytes())[0] if self._mark_path.exists() else 0
        data = self._log_path.read_bytes() if self._log_path.exists() else b""
        records, ends = _whole_records(data)
        synced = sum(end <= mark for end in ends)
        kept = synced + draw.randint(0, len(records) - synced)
        length = ends[kept - 1] if kept else 0
        self._log = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._mark = os.open(self._mark_path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.ftruncate(self._log, length)
        self._length = length
        self._tell_synced()
        self._thread.start()
        return records[:kept]

    def write(self, node: NodeId, records: list[Record], done: Callable[[], None]) -> None:
        """Make records durable in the background; `done` is called on the disk's thread."""
        parts = []
        for record in records:
            payload = self._encode((node, record))
            parts.append(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
        self._jobs.put((b"".join(parts), done))

    def close(self) -> None:
        """Finish what was handed over."""
        self._jobs.put(None)
        self._thread.join()
        os.close(self._log)
        os.close(self._mark)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs, last = [job], False
            while not self._jobs.empty():  # group commit: one sync for all that has gathered
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                jobs.append(following)
            for data, _ in jobs:
                os.write(self._log, data)
                self._length += len(data)
            if self._sync:
                os.fdatasync(self._log)
            self._tell_synced()
            for _, done in jobs:
                done()
            if last:
                return

    def _tell_synced(self) -> None:
        os.pwrite(self._mark, _MARK.pack(self._length), 0)


def _whole_records(data: bytes) -> tuple[list[Written], list[int]]:
    """The records up to the first that is torn, and the offset at which each ends."""
    records: list[Written] = []
    ends: list[int] = []
    at = 0
    while at + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        payload = data[at + _FRAME.size : at + _FRAME.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            break
        node, record = msgspec.msgpack.decode(payload)
        at += _FRAME.size + length
        records.append((node, tuple(map(tuple, record))))
        ends.append(at)
    return records, ends


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
