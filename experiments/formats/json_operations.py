"""JSON Lines, one operation a line, as `docs/histories.md` documents them."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO, Literal

import msgspec

from experiments.checkers.columns import FAIL, INFO, NEVER_NS, OK
from experiments.formats.building import LIMIT_NS, OBSERVED, Rows
from experiments.formats.errors import HistoryError
from experiments.formats.lines import Chunk, chunks, numbered
from experiments.formats.values import TooDeep, freeze, frozen

Skip = Callable[[HistoryError], None] | None
CODES: dict[str | None, int] = {"fail": FAIL, "info": INFO}


Time = Annotated[int, msgspec.Meta(ge=-LIMIT_NS, le=LIMIT_NS)]


class Line(msgspec.Struct, gc=False):
    """One line."""

    f: str
    call: Time
    client: int | str | msgspec.UnsetType = msgspec.UNSET
    process: int | str | msgspec.UnsetType = msgspec.UNSET
    key: Any = None
    value: Any = None
    result: Any = msgspec.UNSET  # what came back, where that is not `value`
    return_: Time | None = msgspec.field(default=None, name="return")
    type: Literal["ok", "fail", "info"] | None = None
    error: Any = None


DECODER = msgspec.json.Decoder(Line)


def read(file: BinaryIO, skip: Skip) -> Iterator[Rows]:
    """The operations in chunks. Raises HistoryError with the line's number, unless `skip` takes it."""
    for chunk in chunks(file, skip):
        quick = _quickly(chunk)
        yield quick if quick is not None else _one_by_one(chunk, skip)


def _quickly(chunk: Chunk) -> Rows | None:
    """A whole chunk at once; None if anything in it needs a closer look."""
    try:
        lines = DECODER.decode_lines(chunk.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    numbers = range(chunk.line, chunk.line + len(lines))
    if chunk.data.count(b"\n") - len(lines) not in (0, -1):
        return None
    if any(line.client is msgspec.UNSET or (line.return_ is None and line.type == "ok") for line in lines):
        return None
    try:
        return _rows(lines, numbers)
    except TooDeep:
        return None


def _one_by_one(chunk: Chunk, skip: Skip) -> Rows:
    lines, numbers = [], []
    for number, text in numbered(chunk):
        try:
            line = _decode(text)
        except HistoryError as error:
            error.line = number
            if skip is None:
                raise
            skip(error)
            continue
        lines.append(line)
        numbers.append(number)
    return _rows(lines, numbers)


def _decode(text: bytes) -> Line:
    try:
        line = DECODER.decode(text)
    except RecursionError as error:
        raise HistoryError("nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HistoryError(f"not an operation: {error}") from error
    problem = _problem(line)
    if problem:
        raise HistoryError(problem)
    try:
        line.value, line.result = freeze(line.value), freeze(line.result)
    except TooDeep as error:
        raise HistoryError(str(error)) from error
    return line


def _problem(line: Line) -> str | None:
    """What contradicts itself within a line."""
    if line.return_ is None:
        if line.type == "ok":
            return "it is ok, but has no `return`"
    elif line.return_ < line.call:
        return f"it returns at {line.return_}, before its call at {line.call}"
    if line.client is msgspec.UNSET and line.process is msgspec.UNSET:
        return "it has no `client`"
    return None


def _rows(lines: list[Line], numbers: Any) -> Rows:
    rows = Rows()
    unset = msgspec.UNSET
    rows.client = [line.process if line.client is unset else line.client for line in lines]
    rows.function = [line.f for line in lines]
    rows.key = [line.key for line in lines]
    rows.value = frozen([line.value for line in lines])
    rows.result = rows.value
    if any(line.result is not unset for line in lines):
        rows.result = frozen([line.value if line.result is unset else line.result for line in lines])
    rows.called = [line.call for line in lines]
    rows.ended = [NEVER_NS if line.return_ is None else line.return_ for line in lines]
    rows.outcome = [CODES.get(line.type) or _unsaid(line) for line in lines]
    rows.error = [None if line.error is None else _error(line) for line in lines]
    rows.line = numbers
    return rows


def _unsaid(line: Line) -> int:
    """The outcome of a line that says ok, or nothing."""
    return INFO if line.return_ is None else OK


def _error(line: Line) -> str | None:
    """The error, where it is an answer of the state that says what was found."""
    return line.error if line.error in OBSERVED and line.result is not msgspec.UNSET else None
