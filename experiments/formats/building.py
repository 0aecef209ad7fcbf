"""A history in the making: rows come in chunks, are checked against each other, and become columns."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.checkers.columns import FAIL, INFO, NEVER_NS, Columns, Ints, Names, ValueBuilder
from experiments.checkers.linearizable.models import COMPARE_DIFFERED
from experiments.formats.errors import HistoryError

LIMIT_NS = 1 << 62  # of times: half of what 64 bits hold, so that sums fit
CAS = ("cas", "compare-and-set")
OBSERVED = ("compare-failed", "wrong-type")  # errors that came with what was found, as our own export writes them


class Rows:
    """A chunk of operations as lists, one item each."""

    __slots__ = ("called", "client", "ended", "error", "function", "key", "line", "outcome", "result", "timed", "value")

    def __init__(self) -> None:
        self.client: Sequence[Any] = []
        self.function: Sequence[str] = []
        self.key: Sequence[Any] = []
        self.value: Sequence[Any] = []
        self.result: Sequence[Any] = []
        self.called: Sequence[int] = []
        self.ended: Sequence[int] = []  # NEVER_NS: the client never learned of an end
        self.outcome: Sequence[int] = []
        self.error: Sequence[Any] = []
        self.line: Sequence[int] = []
        self.timed = True  # False: times count events


class HistoryBuilder:
    """Collects rows. All memory that it needs a row is what its columns need."""

    def __init__(self) -> None:
        self._values = ValueBuilder()
        self._functions, self._keys, self._errors, self._clients = Names(), Names(), Names(), Names()
        self._chunks: dict[str, list[NDArray[Any]]] = {}
        self.timed = True

    def add(self, rows: Rows) -> None:
        """Take a chunk, whose values must be frozen. Raises HistoryError if a time does not fit."""
        try:
            ints = {name: np.array(getattr(rows, name), dtype=np.int64) for name in ("called", "ended", "line")}
        except (OverflowError, ValueError) as error:
            raise HistoryError("a time does not fit into 62 bits of nanoseconds") from error
        self.timed = self.timed and rows.timed
        self._values.extend("value", rows.value)
        self._values.extend("result", rows.result)
        chunk: dict[str, NDArray[Any]] = {
            **ints,
            "client": self._clients_of(rows.client),
            "function": self._functions.codes(rows.function),
            "key": self._keys.codes(_key_texts(rows.key)),
            "outcome": np.array(rows.outcome, dtype=np.int8),
            "error": self._errors.codes(rows.error),
        }
        for name, column in chunk.items():
            self._chunks.setdefault(name, []).append(column)

    def _clients_of(self, clients: Sequence[Any]) -> Ints:
        """Clients as numbers: a number stays what it is, any other name gets a negative one."""
        if set(map(type, clients)) <= {int}:
            try:
                return np.array(clients, dtype=np.int64)
            except OverflowError:
                pass
        named = self._clients.codes(client for client in clients if not _is_number(client))
        codes = iter((-1 - named.astype(np.int64)).tolist())
        return np.array([client if _is_number(client) else next(codes) for client in clients], dtype=np.int64)

    def finish(self, *, failed: str, skip: Callable[[HistoryError], None] | None = None) -> Columns:
        """The history. Raises HistoryError with the line if it contradicts itself, or has no operation.

        Args:
            skip: told of operations that contradict others, which are then left out.
            failed: "observed" if a compare-and-set that failed says that the state was another, else "dropped".
        """
        if not self._chunks:
            raise HistoryError("no operation in it")
        column = {name: np.concatenate(self._chunks.pop(name)) for name in list(self._chunks)}
        column["at"] = np.arange(len(column["called"]))
        while True:
            try:
                check_times(column)
                break
            except Contradiction as error:
                if skip is None:
                    raise
                skip(error)
                column = {name: np.delete(values, error.row) for name, values in column.items()}
        called, ended, outcome = column["called"], column["ended"], column["outcome"]
        values, results = self._values.build("value"), self._values.build("result")
        if len(called) < len(values.codes):
            kept = column["at"]
            values, results = values.take(kept), results.take(kept)
        returns = np.where(outcome == INFO, NEVER_NS, ended)
        order: Ints | None = None
        if len(called) > 1 and (np.diff(called) < 0).any():
            order = np.argsort(called, kind="stable")
        functions, errors = self._functions.listed(), self._errors.listed()
        history = Columns(
            process=column["client"],
            functions=functions,
            function=column["function"],
            keys=self._keys.listed(),
            key=column["key"],
            value=values,
            result=results,
            invoke_ns=called,
            return_ns=returns,
            outcome=outcome,
            errors=(*errors, COMPARE_DIFFERED),
            error=observed(column, functions, errors) if failed == "observed" else column["error"],
            workload="history",
            timed=self.timed,
        )
        return history if order is None else history.take(order)


class Contradiction(HistoryError):
    """An operation that can't be, for what it says of itself or for what others say."""

    def __init__(self, message: str, *, line: int, row: int) -> None:
        super().__init__(message, line=line)
        self.row = row


def _is_number(client: Any) -> bool:
    return type(client) is int and abs(client) < LIMIT_NS


def _key_texts(keys: Sequence[Any]) -> Iterable[Any]:
    return keys if set(map(type, keys)) <= {str} else map(key_text, keys)


def key_text(key: Any) -> str:
    """A key as text. Nothing is the key "" of histories of one object."""
    if type(key) is str:
        return key
    return "" if key is None else str(key)


def observed(column: dict[str, NDArray[Any]], functions: Sequence[str], errors: Sequence[Any]) -> NDArray[np.int32]:
    """The errors, with that of each failed compare-and-set saying that it saw another state than it expected."""
    compares = np.isin(column["function"], [code for code, name in enumerate(functions) if name in CAS])
    kept = np.isin(column["error"], [code for code, error in enumerate(errors) if error is not None])
    told = (column["outcome"] == FAIL) & compares & ~kept
    error: NDArray[np.int32] = np.where(told, np.int32(len(errors)), column["error"]).astype(np.int32)
    return error


def check_times(column: dict[str, NDArray[Any]]) -> None:
    """Raises Contradiction where an operation ends before it begins, or a client has two open at once."""
    called, ended, line, client = column["called"], column["ended"], column["line"], column["client"]
    _refuse(np.abs(called) > LIMIT_NS, line, lambda row: f"call {called[row]} is out of range")
    _refuse((ended != NEVER_NS) & (np.abs(ended) > LIMIT_NS), line, lambda row: f"return {ended[row]} is out of range")
    _refuse(ended < called, line, lambda row: f"it returns at {ended[row]}, before its call at {called[row]}")
    # A client's operations in order of call; of one moment first those that left its number free, then by return.
    order = np.lexsort((np.where(ended == NEVER_NS, -NEVER_NS, ended), called, client))
    same = client[order][1:] == client[order][:-1]
    known = ended[order][:-1] != NEVER_NS  # one that never returned leaves its number free
    overlap = np.flatnonzero(same & known & (ended[order][:-1] > called[order][1:]))
    if len(overlap):
        first = overlap[np.argmin(line[order][1:][overlap])]
        one, two = order[first], order[first + 1]
        raise Contradiction(
            f"client {client[two]} calls at {called[two]} while its operation of line {line[one]} is open "
            f"({called[one]} to {ended[one]})",
            line=int(line[two]),
            row=int(two),
        )


def _refuse(wrong: NDArray[np.bool_], line: Ints, what: Any) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise Contradiction(what(rows[0]), line=int(line[rows[0]]), row=int(rows[0]))


def columns_from(rows: Iterable[Rows], *, failed: str = "dropped") -> Columns:
    """All chunks as one history."""
    builder = HistoryBuilder()
    for chunk in rows:
        builder.add(chunk)
    return builder.finish(failed=failed)
