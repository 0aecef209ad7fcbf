"""Text logs with lines such as `INFO  jepsen.util - 3  :invoke  :write  4`, as Jepsen's etcd test prints them."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from experiments.formats.building import Rows
from experiments.formats.edn import Map, Reader, thaw
from experiments.formats.errors import HistoryError
from experiments.formats.events import Event, Pairing, Skip
from experiments.formats.lines import chunks, numbered

EVENT = re.compile(
    rb"(?:^|.*[\s:\-])(?P<process>\d{1,18}|:?nemesis)[ \t]+:(?P<type>invoke|ok|fail|info)[ \t]+:?(?P<f>[^\s:]\S*)"
    rb"(?:[ \t]+(?P<value>.*))?$"
)
OTHER = re.compile(rb"^(?:.*\s)?(?:TRACE|DEBUG|INFO|WARN|ERROR)\s(?!.*jepsen\.util\s)")
WORD = re.compile(rb"nil|-?\d{1,18}|:[\w-]+")


def read(file: BinaryIO, skip: Skip) -> Iterator[Rows]:
    """The operations in chunks. Raises HistoryError with the line's number, unless `skip` takes it."""
    return Pairing(skip).rows(_events(file, skip))


def _events(file: BinaryIO, skip: Skip) -> Iterator[Event]:
    for chunk in chunks(file, skip):
        for number, text in numbered(chunk):
            try:
                event = event_of(text, number)
            except HistoryError as error:
                error.line = number
                if skip is None:
                    raise
                skip(error)
                continue
            if event is not None:
                yield event


def event_of(text: bytes, number: int) -> Event | None:
    """A line as an event; None for what is no operation of a client. Raises HistoryError without a line's number."""
    found = EVENT.match(text)
    if found is None:
        if OTHER.match(text):
            return None
        raise HistoryError(f"no line of a Jepsen log: {text[:60].decode(errors='replace')!r}")
    if not found["process"].isdigit():
        return None
    try:
        function = found["f"].decode()
    except UnicodeDecodeError as error:
        raise HistoryError("not UTF-8") from error
    kind = found["type"].decode()
    return Event(int(found["process"]), kind, function, None, _value(found["value"]), None, None, number)


def _value(text: bytes | None) -> Any:
    """The first form of what stands behind the function; what follows it explains an error."""
    text = (text or b"nil").strip()
    if WORD.fullmatch(text):
        return None if text == b"nil" else text[1:].decode() if text[:1] == b":" else int(text)
    return first_form(text)


def first_form(text: bytes) -> Any:
    """The first EDN form of a line. Raises HistoryError."""
    stream = Reader(_Once(text))  # type: ignore[arg-type]
    stream.inside = ""  # a vector at the top is a value here
    form = next(stream.forms(), None)
    value = None if form is None else form.value
    return thaw(value) if isinstance(value, Map) else value


class _Once:
    """Bytes as a file that is read once."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _: int) -> bytes:
        data, self._data = self._data, b""
        return data
