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


class Nothing(enum.Enum):
    """No particular value; None would be one."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING


class Model(Protocol):
    """One kind of object, as a sequential specification, and what helps to search its histories.

    A new model can do with the least: `only_looks` False, `visible` all, `simplify` itself, the last three NOTHING.
    """

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

    def simplify(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> "Model":
        """A model with smaller states that judges these operations alike."""
        ...

    def needs(self, operation: Operation) -> Hashable:
        """What a definite operation must be shown by the state in which it takes effect; NOTHING if that varies."""
        ...

    def gives(self, operation: Operation) -> Hashable:
        """What the state after an operation shows; NOTHING if it shows NOTHING, or what was never shown before."""
        ...

    def shows(self, state: State) -> Hashable:
        """What this state shows; two that show the same may still differ. NOTHING if operations can't need it."""
        ...


class Absent(enum.Enum):
    """The state of a key that was never written. It reads as None, but unlike a written None it can be appended to."""

    ABSENT = "absent"


class KeyValue:
    """One key of `actors.state.key_value`: read, write, cas (compare-and-set), append."""

    functions: tuple[str, ...] = ("read", "write", "cas", "append")
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

    def simplify(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> Model:
        """See `Model.simplify`: a list that only grows is the longest one found, as far as it has grown."""
        if all(operation.function in ("read", "append") for operation in (*definite, *unknown)):
            return GrowingList(definite)
        return self

    def needs(self, operation: Operation) -> Hashable:
        """See `Model.needs`. Lists are left out: appends make more of them than can be told in advance."""
        if operation.function == "read" or operation.outcome == "fail":
            return self.shows(operation.result)
        return self.shows(change_of(operation)[0]) if operation.function == "cas" else NOTHING

    def gives(self, operation: Operation) -> Hashable:
        """See `Model.gives`."""
        if operation.outcome == "fail" or operation.function in ("read", "append"):
            return NOTHING
        return self.shows(change_of(operation)[1] if operation.function == "cas" else operation.value)

    def shows(self, state: State) -> Hashable:
        """See `Model.shows`."""
        if isinstance(state, tuple):
            return NOTHING
        return None if state is Absent.ABSENT else state


class GrowingList:
    """A key that is only read and appended to. The state is the list's length.

    While it is not longer than the longest list that a definite operation found, it is the beginning of that one; once
    it is longer nothing finds it any more, so that all longer ones are one state.
    """

    functions: tuple[str, ...] = ("read", "append")
    initial: State = 0

    def __init__(self, definite: Sequence[Operation]) -> None:
        found = [operation.result for operation in definite if self.only_looks(operation.function, operation.outcome)]
        self.longest: tuple[Any, ...] = max((one for one in found if isinstance(one, tuple)), key=len, default=())

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        assert isinstance(state, int)
        longest = self.longest
        if function == "append" and outcome != "fail":
            if isinstance(value, tuple):
                return REFUSED
            if state < len(longest):
                return state + 1 if longest[state] == value else REFUSED
            return len(longest) + 1
        empty = None if function == "read" else ()
        if function == "append" and not isinstance(value, tuple):
            return REFUSED
        if state == 0:
            return state if result == empty else REFUSED
        same = isinstance(result, tuple) and len(result) == state and result == longest[:state]
        return state if same else REFUSED

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> list[Operation]:
        """See `Model.visible`."""
        return list(unknown)

    def simplify(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> Model:
        """See `Model.simplify`."""
        return self

    def needs(self, operation: Operation) -> Hashable:
        """See `Model.needs`."""
        if self.only_looks(operation.function, operation.outcome):
            return len(operation.result) if isinstance(operation.result, tuple) else 0
        return NOTHING

    def gives(self, operation: Operation) -> Hashable:
        """See `Model.gives`: each length is shown once, by the append that reaches it."""
        return NOTHING

    def shows(self, state: State) -> Hashable:
        """See `Model.shows`."""
        return state


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
