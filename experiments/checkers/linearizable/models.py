"""Sequential models: what one object answers when operations come one after another.

To add one: a class here (or its own file) that has what `Model` asks for, and its line in MODELS.
"""

import enum
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from actors.history import Operation, Outcome
from actors.message import Value

State: TypeAlias = Hashable
"""The state of one object; equal states must behave alike."""


class Refused(enum.Enum):
    """What `Model.step` returns where an operation can't have happened in a state."""

    REFUSED = "refused"


REFUSED: Final = Refused.REFUSED


class Model(Protocol):
    """One kind of object, as a sequential specification."""

    functions: tuple[str, ...]  # what it understands
    initial: State

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """The state after an operation that takes effect in `state`.

        Args:
            value: what the operation was given.
            result: what it was answered; not looked at if `outcome` is "info", for nothing was.
            outcome: "ok"; "fail" for an answer of the state (a compare that failed: `result` is what was found);
                "info" for one that takes effect without anybody having been told.

        Returns: REFUSED if no object in `state` answers so, or if an info would change nothing there.
        """
        ...

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """Whether such an operation leaves every state as it is. The search takes these as early as it can."""
        ...

    def visible(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> list[Operation]:
        """Of operations of unknown outcome those whose effect some definite one may have met.

        To leave out any of the others must never turn a linearizable history into one that is not.
        """
        ...


class Absent(enum.Enum):
    """The state of a key that was never written. It reads as None, but unlike a written None it can be appended to."""

    ABSENT = "absent"


class KeyValue:
    """One key of `actors.state.key_value`: read, write, cas (compare-and-set), append."""

    functions = ("read", "write", "cas", "append")
    initial: State = Absent.ABSENT

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`; the semantics are those of `actors.state.key_value.KeyValue`, function by function."""
        found: Any = None if state is Absent.ABSENT else state
        if function == "read":
            return state if found == result else REFUSED
        if function == "write":
            return value  # type: ignore[no-any-return]
        if function == "cas":
            expected, new = value
            if outcome == "fail":
                return state if found == result and found != expected else REFUSED
            return new if found == expected else REFUSED
        items = () if state is Absent.ABSENT else found
        fits = isinstance(items, tuple) and not isinstance(value, tuple)
        if outcome == "fail":
            return state if items == result and not fits else REFUSED
        return (*items, value) if fits else REFUSED

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> list[Operation]:
        """See `Model.visible`. Reads go; a write, cas or append goes if what it would leave was never met.

        An unmet value stays until the next write or cas, and nothing that needs a state can come in between (an
        append leaves a list, in which the unmet item would stay), so that leaving it out changes no answer.
        """
        met = _met(definite, unknown)
        return [operation for operation in unknown if _may_be_met(operation, met)]


def _met(definite: Iterable[Operation], unknown: Iterable[Operation]) -> set[Value]:
    """All values, and all items of lists, that an operation found or would have to find."""
    met: set[Value] = set()
    for operation in definite:
        if operation.function == "read" or operation.outcome == "fail":
            met.add(operation.result)
    for operations in (definite, unknown):
        met.update(change_of(operation)[0] for operation in operations if operation.function == "cas")
    for value in tuple(met):
        if isinstance(value, tuple):
            met.update(value)
    return met


def _may_be_met(operation: Operation, met: set[Value]) -> bool:
    if operation.function == "read":
        return False
    left = change_of(operation)[1] if operation.function == "cas" else operation.value
    return isinstance(left, tuple) or left in met  # what is appended to a written list is met as a longer one


def change_of(operation: Operation) -> tuple[Value, Value]:
    """(expected, new) of a cas."""
    assert isinstance(operation.value, tuple)
    expected, new = operation.value
    return expected, new


MODELS: dict[str, Model] = {"kv": KeyValue()}
