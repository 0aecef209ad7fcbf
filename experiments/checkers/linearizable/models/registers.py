"""Several registers that one operation reads and writes at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from actors.history import Operation, Outcome
from experiments.checkers.linearizable.models.base import REFUSED, Model, One, Refused, State

READ, WRITE = ("r", "read"), ("w", "write")
MicroOperation = tuple[str, Any, Any]


class MultiRegister(Model):
    """Registers by name; each operation is a list of reads and writes that take effect together.

    `txn` takes micro-operations `[f, register, value]`; `read` and `write` a map of registers to values. The state is
    a frozen set of (register, value) of those that are not as they were at first.
    """

    functions: ClassVar[tuple[str, ...]] = ("txn", "read", "write")
    aliases: ClassVar[Mapping[str, str]] = {"transaction": "txn"}
    together: ClassVar[bool] = True
    initial: State = frozenset()

    def __init__(self) -> None:
        self.first: dict[Any, Any] = {}  # values at first, where not nil

    def prepare(self, operation: Operation) -> Operation:
        """See `Model.prepare`: what was done is what came back, and where nothing did, what was asked."""
        done = operation.result if operation.outcome == "ok" and operation.result is not None else operation.value
        steps: Any = tuple(micro_operations(operation.function, done))
        return msgspec.structs.replace(operation, value=steps)

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        assert isinstance(state, frozenset)
        registers = {**self.first, **dict(state)}
        for kind, register, item in value:
            if kind in WRITE:
                registers[register] = item
            elif outcome != "info" and registers.get(register) != item:
                return REFUSED
        return frozenset((name, item) for name, item in registers.items() if self.first.get(name) != item)

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`: those that write."""
        return [one for one in unknown if any(step[0] in WRITE for step in one.value)]  # type: ignore[union-attr,index]

    def problem(self, operation: Operation) -> str | None:
        """See `Model.problem`."""
        for value in (operation.value, operation.result if operation.outcome == "ok" else None):
            if value is not None and not _well_formed(operation.function, value):
                return f"{value!r} is no list of micro-operations [f, register, value] with f r or w"
        return None

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`: a map, or one value for every register named in it."""
        other = MultiRegister()
        other.first = dict(value) if _is_map(value) else {}
        return other


def micro_operations(function: str, value: Any) -> Iterable[MicroOperation]:
    """What a value says is read and written."""
    if function in ("read", "write"):
        return [(function, pair[0], pair[1]) for pair in value or () if len(pair) == 2]
    return [(step[0], step[1], step[2] if len(step) > 2 else None) for step in value or ()]


def _well_formed(function: str, value: Any) -> bool:
    if function in ("read", "write"):
        return _is_map(value)
    return isinstance(value, tuple) and all(
        isinstance(step, tuple) and len(step) in (2, 3) and step[0] in (*READ, *WRITE) for step in value
    )


def _is_map(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value)
