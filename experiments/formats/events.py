"""From one event a line (invoke, then ok, fail or info) to operations."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from experiments.checkers.columns import FAIL, INFO, NEVER_NS, OK
from experiments.formats.building import CAS, OBSERVED, Rows
from experiments.formats.errors import HistoryError

Skip = Callable[[HistoryError], None] | None
ROWS = 65_536
TYPES = {"invoke": -1, "ok": OK, "fail": FAIL, "info": INFO}
TIMED_OUT = ("timed-out", "timeout")


class Event(NamedTuple):
    """Something that a process did or was told, in the order of the file."""

    process: Any
    type: str  # a key of TYPES
    function: str
    key: Any
    value: Any
    time: int | None  # ns; None: the file tells no times, and its order is all there is
    error: Any
    line: int


class Opened(NamedTuple):
    """An invoke that was not answered yet."""

    row: int  # how many operations were invoked before
    event: Event
    time_ns: int


class Pairing:
    """Joins the events of each process."""

    def __init__(self, skip: Skip) -> None:
        self._skip = skip
        self._open: dict[Any, Opened] = {}
        self._last_ns: int | None = None
        self._timed: bool | None = None
        self._count = 0
        self._done: list[tuple[Opened, Event | None, int]] = []

    def rows(self, events: Iterator[Event]) -> Iterator[Rows]:
        """All operations, in chunks in the order in which they ended; those that never did come last.

        Raises: HistoryError with the line: a process that invokes with an operation open, an end without an invoke,
            a time that goes backwards. With `skip` such an event is left out.
        """
        for event in events:
            try:
                self._take(event)
            except HistoryError as error:
                error.line = event.line
                if self._skip is None:
                    raise
                self._skip(error)
            if len(self._done) >= ROWS:
                yield self._flush()
        self._done.extend((opened, None, NEVER_NS) for opened in self._open.values())
        self._open.clear()
        if self._done:
            yield self._flush()

    def _take(self, event: Event) -> None:
        time_ns = self._time(event)
        opened = self._open.get(event.process)
        if event.type == "invoke":
            if opened is not None:
                raise HistoryError(
                    f"process {event.process} invokes {event.function} while its {opened.event.function} of line "
                    f"{opened.event.line} is open"
                )
            self._open[event.process] = Opened(self._count, event, time_ns)
            self._count += 1
            return
        if opened is None:
            raise HistoryError(f"process {event.process} has an {event.type} of {event.function} without an invoke")
        if event.function in TIMED_OUT:  # a log that says why in place of what
            event = event._replace(function=opened.event.function, error=event.function)
        if opened.event.function != event.function:
            raise HistoryError(
                f"process {event.process} has an {event.type} of {event.function}, but what it invoked in line "
                f"{opened.event.line} is {opened.event.function}"
            )
        del self._open[event.process]
        self._done.append((opened, event, time_ns))

    def _time(self, event: Event) -> int:
        """The event's time, or its place where the file has no times."""
        if self._timed is None:
            self._timed = event.time is not None
        if self._timed != (event.time is not None):
            raise HistoryError("some events have a time and some have none")
        time_ns = (self._last_ns or 0) + 1 if event.time is None else event.time
        if self._last_ns is not None and time_ns < self._last_ns:
            backwards = HistoryError(
                f"time goes backwards, from {self._last_ns} to {time_ns}; --lenient takes the file's order",
                line=event.line,
            )
            if self._skip is None:
                raise backwards
            self._skip(backwards)  # the order of the file counts
            time_ns = self._last_ns
        self._last_ns = time_ns
        return time_ns

    def _flush(self) -> Rows:
        rows, done = Rows(), self._done
        rows.client = [opened.event.process for opened, _, _ in done]
        rows.function = [opened.event.function for opened, _, _ in done]
        rows.key = [opened.event.key for opened, _, _ in done]
        rows.value = [opened.event.value for opened, _, _ in done]
        rows.result = [_result(opened.event, end) for opened, end, _ in done]
        rows.called = [opened.time_ns for opened, _, _ in done]
        rows.ended = [time_ns for _, _, time_ns in done]
        rows.outcome = [INFO if end is None else TYPES[end.type] for _, end, _ in done]
        rows.error = [_error(opened.event, end) for opened, end, _ in done]
        rows.line = [opened.event.line for opened, _, _ in done]
        rows.timed = bool(self._timed)
        self._done = []
        return rows


def _result(invoke: Event, end: Event | None) -> Any:
    if end is None or end.type == "info":
        return None
    if end.type == "fail":
        return _found(end.error)
    return end.value


def _found(error: Any) -> Any:
    """What a failed operation found: the second part of an error such as ["compare-failed" 3]."""
    return error[1] if isinstance(error, list | tuple) and len(error) == 2 and error[0] in OBSERVED else None


def _error(invoke: Event, end: Event | None) -> str | None:
    """The error, where it is an answer of the state; "timed-out" where a failed compare tells of no state at all."""
    if end is None or end.type != "fail":
        return None
    if isinstance(end.error, list | tuple) and len(end.error) == 2 and end.error[0] in OBSERVED:
        return str(end.error[0])
    tells = invoke.function in CAS and end.value not in TIMED_OUT and end.error not in TIMED_OUT
    return None if tells or invoke.function not in CAS else "timed-out"
