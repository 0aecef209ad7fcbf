"""Jepsen's EDN histories: one map a line, or one list or vector of maps."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from experiments.formats.building import LIMIT_NS, Rows
from experiments.formats.edn import Form, Map, Reader, thaw
from experiments.formats.errors import HistoryError
from experiments.formats.events import TYPES, Event, Pairing, Skip


def read(file: BinaryIO, skip: Skip) -> Iterator[Rows]:
    """The operations in chunks. Raises HistoryError with the line's number, unless `skip` takes it."""
    return Pairing(skip).rows(_events(file, skip))


def _events(file: BinaryIO, skip: Skip) -> Iterator[Event]:
    reader = Reader(file)
    forms = reader.forms()
    while True:
        try:
            form = next(forms, None)
            if form is None:
                return
            event = event_of(form)
        except HistoryError as error:
            if skip is None:
                raise
            skip(error)
            if error.line is None or not isinstance(getattr(error, "form", None), Form):
                if not reader.skip_line():
                    return
                forms = reader.forms()
            continue
        if event is not None:
            yield event


class BadEvent(HistoryError):
    """A form that can be read, but is no event: the next one may be."""

    def __init__(self, message: str, form: Form) -> None:
        super().__init__(message, line=form.line)
        self.form = form


def event_of(form: Form) -> Event | None:
    """A map as an event; None for what no client process did. Raises BadEvent."""
    given = form.value
    if not isinstance(given, Map):
        raise BadEvent(f"no map, but {str(given)[:40]!r}", form)
    process, kind, function = (_word(given.get(name)) for name in ("process", "type", "f"))
    if process == "nemesis":
        return None
    if kind not in TYPES:
        raise BadEvent(f":type {kind!r} is none of {', '.join(TYPES)}", form)
    if process is None or isinstance(process, bool | float | tuple | Map):
        raise BadEvent(f":process {process!r} is no process", form)
    if not isinstance(function, str):
        raise BadEvent(":f is missing, or no name", form)
    time = given.get("time")
    if time is not None and (type(time) is not int or abs(time) > LIMIT_NS):
        raise BadEvent(f":time {time!r} is no number of nanoseconds", form)
    value, error, key = (thaw(given.get(name)) for name in ("value", "error", "key"))
    return Event(process, str(kind), function, key, value, time, error, form.line)


def _word(value: Any) -> Any:
    """A field that may be a keyword or a text: `:ok`, "ok" and ":ok" are the same."""
    if isinstance(value, str):
        value = value.removeprefix(":")
        return int(value) if value.isdecimal() else value
    return value
