"""JSON Lines, one event a line, with the fields of Jepsen's operations."""

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO

import msgspec

from experiments.formats.building import LIMIT_NS, Rows
from experiments.formats.errors import HistoryError
from experiments.formats.events import TYPES, Event, Pairing, Skip
from experiments.formats.lines import Chunk, chunks, numbered
from experiments.formats.values import TooDeep, freeze

NEMESIS = ("nemesis", ":nemesis")


class Line(msgspec.Struct, gc=False):
    """One line; fields that it does not name are left out."""

    process: int | str
    type: str
    f: str | None = None
    value: Any = None
    time: Annotated[int, msgspec.Meta(ge=-LIMIT_NS, le=LIMIT_NS)] | None = None
    key: Any = None
    error: Any = None


DECODER = msgspec.json.Decoder(Line)


def read(file: BinaryIO, skip: Skip) -> Iterator[Rows]:
    """The operations in chunks. Raises HistoryError with the line's number, unless `skip` takes it."""
    return Pairing(skip).rows(_events(file, skip))


def _events(file: BinaryIO, skip: Skip) -> Iterator[Event]:
    for chunk in chunks(file, skip):
        for number, line in _lines(chunk, skip):
            if line.process in NEMESIS:
                continue
            try:
                yield event_of(line, number)
            except HistoryError as error:
                error.line = number
                if skip is None:
                    raise
                skip(error)


def _lines(chunk: Chunk, skip: Skip) -> Iterator[tuple[int, Line]]:
    try:
        lines = DECODER.decode_lines(chunk.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        lines = None
    if lines is not None and chunk.data.count(b"\n") - len(lines) in (0, -1):
        yield from enumerate(lines, chunk.line)
        return
    for number, text in numbered(chunk):
        try:
            yield number, DECODER.decode(text)
        except RecursionError:
            _refuse(HistoryError("nested too deeply", line=number), skip)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _refuse(HistoryError(f"not an event: {error}", line=number), skip)


def _refuse(error: HistoryError, skip: Skip) -> None:
    if skip is None:
        raise error
    skip(error)


def event_of(line: Line, number: int) -> Event:
    """A line as an event. Raises HistoryError without a line's number."""
    kind = line.type.removeprefix(":")
    if kind not in TYPES:
        raise HistoryError(f"type {line.type!r} is none of {', '.join(TYPES)}")
    if line.f is None:
        raise HistoryError("it has no `f`")
    process: Any = line.process
    if isinstance(process, str) and process.isdecimal():
        process = int(process)
    try:
        value, error = freeze(line.value), freeze(line.error)
    except TooDeep as problem:
        raise HistoryError(str(problem)) from problem
    return Event(process, kind, line.f.removeprefix(":"), line.key, value, line.time, error, number)
