"""A history as columns: a million operations in some tens of megabytes, each still an `Operation` to whoever asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from actors.history import Operation, Outcome

Ints: TypeAlias = NDArray[np.int64]

NEVER_NS = np.iinfo(np.int64).max
"""The return of an operation that never returned."""
NIL = np.iinfo(np.int64).min
"""None, in a column of plain integers."""
OUTCOMES: tuple[Outcome, ...] = ("ok", "fail", "info")
OK, FAIL, INFO = range(3)


class Values:
    """A column of values: the integers themselves where all are integers or None, else places in a table."""

    def __init__(self, codes: Ints, table: list[Any] | None) -> None:
        self.codes = codes
        self.table = table

    def __getitem__(self, row: int) -> Any:
        code = int(self.codes[row])
        if self.table is not None:
            return self.table[code]
        return None if code == NIL else code

    def take(self, rows: Ints) -> "Values":
        """The values of some rows, in that order."""
        return Values(self.codes[rows], self.table)

    def decode(self) -> list[Any]:
        """All values as they are."""
        codes = self.codes.tolist()
        if self.table is not None:
            table = self.table
            return [table[code] for code in codes]
        return [None if code == NIL else code for code in codes]

    def code_of(self, value: Any) -> int | None:
        """The code that stands for a value; None if it is not in the column."""
        if self.table is None:
            return NIL if value is None else value if _is_plain(value) else None
        return next((code for code, known in enumerate(self.table) if known == value), None)


def _is_plain(value: Any) -> bool:
    return type(value) is int and NIL < value <= NEVER_NS


class Numbering(dict[Any, int]):
    """Numbers its keys in the order in which they are first asked for."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


class ValueBuilder:
    """Collects values, a chunk of them at a time, for several columns that share one table."""

    def __init__(self) -> None:
        self._codes: Numbering | None = None  # None: plain integers so far
        self._columns: dict[str, list[Ints]] = {}

    def extend(self, column: str, values: Sequence[Any]) -> None:
        """Add values, hashable each."""
        chunks = self._columns.setdefault(column, [])
        if self._codes is None:
            plain = _plain_codes(values)
            if plain is not None:
                chunks.append(plain)
                return
            self._intern_all()
        assert self._codes is not None
        chunks.append(_intern(self._codes, values))

    def build(self, column: str) -> Values:
        """The column as it is now."""
        chunks = self._columns.get(column, [])
        codes = np.concatenate(chunks) if chunks else np.empty(0, np.int64)
        return Values(codes, None if self._codes is None else list(self._codes))

    def _intern_all(self) -> None:
        self._codes = Numbering()
        for chunks in self._columns.values():
            chunks[:] = [_intern(self._codes, Values(chunk, None).decode()) for chunk in chunks]


def _plain_codes(values: Sequence[Any]) -> Ints | None:
    kinds = set(map(type, values))
    if not kinds <= {int, type(None)}:
        return None
    try:
        if type(None) in kinds:
            return np.fromiter((NIL if value is None else value for value in values), np.int64, len(values))
        codes = np.fromiter(values, np.int64, len(values))
    except OverflowError:
        return None
    return None if (codes == NIL).any() else codes


def _intern(codes: Numbering, values: Iterable[Any]) -> Ints:
    return np.array(list(map(codes.__getitem__, values)), dtype=np.int64)


class Names:
    """Texts by number, in the order in which they first came."""

    def __init__(self) -> None:
        self._codes = Numbering()

    def codes(self, names: Iterable[Any]) -> NDArray[np.int32]:
        """The number of each; new ones get the next."""
        return np.array(list(map(self._codes.__getitem__, names)), dtype=np.int32)

    def listed(self) -> tuple[Any, ...]:
        return tuple(self._codes)


@dataclass(frozen=True, slots=True, eq=False)
class Columns(Sequence[Operation]):
    """A history in order of invocation. What `Operation` says of each field holds; times are ns."""

    process: Ints
    functions: tuple[str, ...]
    function: NDArray[np.int32]
    keys: tuple[str, ...]
    key: NDArray[np.int32]
    value: Values
    result: Values  # shares its table with `value`
    invoke_ns: Ints
    return_ns: Ints  # NEVER_NS where None
    outcome: NDArray[np.int8]  # a place in OUTCOMES
    errors: tuple[str | None, ...]
    error: NDArray[np.int32]
    node: NDArray[np.int32] | None = None  # None: 0 each
    workload: str = ""
    timed: bool = True  # False: the times count events, for the history had none

    def __len__(self) -> int:
        return len(self.process)

    @overload
    def __getitem__(self, row: int) -> Operation: ...
    @overload
    def __getitem__(self, row: slice) -> list[Operation]: ...
    def __getitem__(self, row: int | slice) -> Operation | list[Operation]:
        if isinstance(row, slice):
            return list(self.take(np.arange(len(self))[row]))
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return next(iter(self.take(np.array([row]))))

    def __iter__(self) -> Iterator[Operation]:
        for begin in range(0, len(self), 65_536):
            yield from self._operations(slice(begin, begin + 65_536))

    def _operations(self, rows: slice) -> Iterator[Operation]:
        nodes = [0] * len(self.process[rows]) if self.node is None else self.node[rows].tolist()
        columns = zip(
            self.process[rows].tolist(),
            nodes,
            self.function[rows].tolist(),
            self.key[rows].tolist(),
            Values(self.value.codes[rows], self.value.table).decode(),
            Values(self.result.codes[rows], self.result.table).decode(),
            self.invoke_ns[rows].tolist(),
            self.return_ns[rows].tolist(),
            self.outcome[rows].tolist(),
            self.error[rows].tolist(),
            strict=True,
        )
        for process, node, function, key, value, result, invoke_ns, return_ns, outcome, error in columns:
            end_ns = None if return_ns == NEVER_NS else return_ns
            yield Operation(
                process=process,
                node=node,
                workload=self.workload,
                function=self.functions[function],
                key=self.keys[key],
                value=value,
                intended_ns=invoke_ns,
                invoke_ns=invoke_ns,
                return_ns=end_ns,
                outcome=OUTCOMES[outcome],
                result=result,
                error=self.errors[error],
                ended_ns=end_ns,
            )

    def take(self, rows: Ints) -> "Columns":
        """Some rows, in that order."""
        return Columns(
            process=self.process[rows],
            functions=self.functions,
            function=self.function[rows],
            keys=self.keys,
            key=self.key[rows],
            value=self.value.take(rows),
            result=self.result.take(rows),
            invoke_ns=self.invoke_ns[rows],
            return_ns=self.return_ns[rows],
            outcome=self.outcome[rows],
            errors=self.errors,
            error=self.error[rows],
            node=None if self.node is None else self.node[rows],
            workload=self.workload,
            timed=self.timed,
        )


def columns_of(history: Sequence[Operation]) -> Columns:
    """Any history as columns. Values must be hashable."""
    if isinstance(history, Columns):
        return history
    values, functions, keys, errors = ValueBuilder(), Names(), Names(), Names()
    values.extend("value", [one.value for one in history])
    values.extend("result", [one.result for one in history])
    returns = [NEVER_NS if one.outcome == "info" or one.return_ns is None else one.return_ns for one in history]
    function, key = functions.codes(one.function for one in history), keys.codes(one.key for one in history)
    error = errors.codes(one.error for one in history)
    columns = Columns(
        process=np.array([one.process for one in history], dtype=np.int64),
        functions=functions.listed(),
        function=function,
        keys=keys.listed(),
        key=key,
        value=values.build("value"),
        result=values.build("result"),
        invoke_ns=np.array([one.invoke_ns for one in history], dtype=np.int64),
        return_ns=np.array(returns, dtype=np.int64),
        outcome=np.array([OUTCOMES.index(one.outcome) for one in history], dtype=np.int8),
        errors=errors.listed() or (None,),
        error=error,
        node=np.array([one.node for one in history], dtype=np.int32),
        workload=history[0].workload if history else "",
    )
    order = np.argsort(columns.invoke_ns, kind="stable")
    return columns if (order == np.arange(len(order))).all() else columns.take(order)
