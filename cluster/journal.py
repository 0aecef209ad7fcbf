"""Journals: what happened on a host, appended as MessagePack, readable at any moment of the run.

A journal file is a stream of MessagePack values: a header, then lists of entries, one list a flush. What a killed
process left half-written at the end is cut off by the reader; all before it counts.
"""

import errno
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple

import msgpack
import msgspec

from actors.election import RoleChanged
from actors.history import Abandoned, Invoke, Retried, Return
from actors.message import Event, NodeId

FORMAT = 1
NOBODY: NodeId = -1  # the "node" of what the controller and the fabric record
FLUSH_AT = 512  # entries
MAX_VALUE_BYTES = 64 * 1024 * 1024


class NodeStarted(Event, frozen=True):
    """The node began to run, after this many starts before."""

    incarnation: int
    host: str


class NodeStopped(Event, frozen=True):
    """The node crashed: its volatile state and its unsynced disk are gone."""

    killed_process: bool = False  # how: its host's process was killed, or it was dropped in the loop


class DiskFailed(Event, frozen=True):
    """The node's disk failed it, and it stops: who can't know what is durable must not speak."""

    reason: str


class NodePaused(Event, frozen=True):
    """The node handles nothing from here on."""


class NodeResumed(Event, frozen=True):
    """The node handles what had waited."""


class FaultInjected(Event, frozen=True):
    """The controller injected a fault: at which planned time, on whom, and what it did in words."""

    number: int  # counts the injections of a run
    fault: str
    planned_ns: int
    nodes: tuple[NodeId, ...]
    detail: str
    step: str = ""  # what the schedule calls the step, if anything


class FaultHealed(Event, frozen=True):
    """The controller ended a fault."""

    number: int


class FaultSkipped(Event, frozen=True):
    """The controller could not inject a fault, and why."""

    fault: str
    planned_ns: int
    reason: str


class RunStopped(Event, frozen=True):
    """The controller saw a stop condition: everything is healed and the run ends early."""

    condition: str
    seen_ns: int  # when what made it true happened


class FaultTouched(Event, frozen=True):
    """So many messages a fault of links dropped, held up, doubled or spoiled on this host. Told when it is healed."""

    number: int
    messages: int


class Traffic(Event, frozen=True):
    """What a host's nodes sent since its last such event (or the run's start), and how late its loop was.

    The simulator tells once, at the end. A host on Ray tells every second as well, so that a kill hides little.
    """

    sent: int  # messages given to the link model
    dropped: int  # by partitions and loss, or because the receiver was down
    delivered: int
    bytes: int  # on the wire; 0 on the simulator
    malformed: int = 0  # frames that were no messages of this run
    lag_p99_ns: int = 0  # by how much handlers ran after their time, over the whole run; 0 until its end


class MessageSent(Event, frozen=True):
    """The node gave this message to a link, at the level of recording that keeps messages."""

    target: NodeId
    kind: str  # the message's type
    bytes: int  # encoded, without the frame around it
    due_ns: tuple[int, ...]  # when it arrives, since the start: never (), once, or twice


class ServerLoad(Event, frozen=True):
    """What the node's modelled CPU did since the last of these."""

    busy_ns: int
    queue_max: int  # most messages that waited for it, the one in work included


class HostClock(Event, frozen=True):
    """This host's offset to the driver's clock, known to within a bound (0 on one machine)."""

    host: str
    offset_ns: int
    bound_ns: int


FABRIC_EVENTS: tuple[type[Event], ...] = (
    NodeStarted,
    NodeStopped,
    DiskFailed,
    NodePaused,
    NodeResumed,
    FaultInjected,
    FaultHealed,
    FaultSkipped,
    FaultTouched,
    RunStopped,
    Traffic,
    MessageSent,
    ServerLoad,
    HostClock,
)


KEPT: dict[str, frozenset[type[Event]] | None] = {
    "history": frozenset((Invoke, Return, Abandoned, Retried, RoleChanged, *FABRIC_EVENTS)),
    "events": None,
    "messages": None,  # and a journal of messages beside it
}
"""Level of recording -> the events that it keeps; None keeps all."""


class Entry(NamedTuple):
    """One line of a journal; times are ns since the start of the run once read, raw in the file."""

    time_ns: int
    node: NodeId
    item: Event


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first value of a journal file."""

    format: int = FORMAT
    host: str
    origin_ns: int  # this host's monotonic clock at the start of the run


def write_whole(file: BinaryIO, data: bytes) -> None:
    """Write all of it, or raise OSError: a disk that fills up takes a part first, and nothing may follow that."""
    written = file.write(data)
    if written < len(data):
        raise OSError(errno.ENOSPC, f"no space left on the disk of {file.name}")


class Journal:
    """An append-only journal of one host. Without a path it keeps its entries in memory only.

    It flushes by itself every `flush_at` entries; a host that must have written before it speaks flushes each turn.
    What its level of recording does not keep is handed on, but not written.
    """

    def __init__(
        self, path: Path | None, *, host: str, origin_ns: int, flush_at: int = FLUSH_AT, record: str = "events"
    ) -> None:
        self._kept = KEPT[record]
        self.entries: list[Entry] = []
        self.copy_to: Callable[[bytes], None] | None = None  # who is handed all that is flushed, whatever is kept
        self._pending: list[tuple[int, NodeId, Event]] = []
        self._path = path
        self._file: BinaryIO | None = None
        self._encoder = msgspec.msgpack.Encoder(order="deterministic")
        self._origin_ns = origin_ns
        self._flush_at = flush_at
        if path is not None:
            self._file = path.open("ab", buffering=0)
            write_whole(self._file, self._encoder.encode(Header(host=host, origin_ns=origin_ns)))

    def write(self, time_ns: int, node: NodeId, item: Event) -> None:
        """Record one thing; `time_ns` is the host's raw clock."""
        self._pending.append((time_ns, node, item))
        if len(self._pending) >= self._flush_at:
            self.flush()

    def flush(self) -> bytes:
        """Hand what is pending to the operating system: it survives this process.

        Returns: all entries, encoded, whatever the level of recording keeps; b"" if there were none.
        """
        if not self._pending:
            return b""
        kept = told = self._pending
        self._pending = []  # ahead of the rest: whatever cuts it short, nothing is written twice
        if self._kept is not None:
            kept = [entry for entry in told if type(entry[2]) in self._kept]
        data = b""
        if self._file is None:
            origin = self._origin_ns
            self.entries.extend(Entry(time_ns - origin, node, item) for time_ns, node, item in kept)
        if self._file is not None or self.copy_to is not None:
            data = self._encoder.encode(told)
        if self._file is not None:
            write_whole(self._file, data if kept is told else self._encoder.encode(kept))
        if self.copy_to is not None:
            self.copy_to(data)
        return data

    def close(self) -> None:
        self.flush()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def event_union(events: Iterable[type[Event]]) -> Any:
    """One type for all that a journal can hold: these events and the fabric's own."""
    union: Any = None
    for kind in dict.fromkeys((*events, *FABRIC_EVENTS)):
        union = kind if union is None else union | kind
    return union


def read_journal(path: Path, events: tuple[type[Event], ...]) -> Iterator[Entry]:
    """The entries of one journal file, in the order of writing, as far as it is whole.

    Args:
        events: the types that the run's actors emit; the fabric's own are known.

    Raises: msgspec.ValidationError if it is no journal, or holds an event of an unknown type.
    """
    union = event_union(events)
    with path.open("rb") as file:
        values = msgpack.Unpacker(file, strict_map_key=False, max_buffer_size=MAX_VALUE_BYTES)
        header: Header | None = None
        for value in _whole(values):
            if header is None:
                header = msgspec.convert(value, Header)
                continue
            for time_ns, node, item in value:
                yield Entry(time_ns - header.origin_ns, node, msgspec.convert(item, union))


def _whole(values: Any) -> Iterator[Any]:
    """The values up to the end, or to the first that a killed process left broken."""
    while True:
        try:
            yield next(values)
        except (StopIteration, msgpack.OutOfData, msgpack.FormatError, msgpack.StackError, ValueError):
            return
