"""One key of a store: read, write, compare-and-set, append, delete. A plain register is a part of it."""

import enum
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from actors.history import Operation, Outcome
from actors.message import Value
from experiments.checkers.linearizable.models.base import NOTHING, REFUSED, UNSEEN, Model, One, Refused, State


class Absent(enum.Enum):
    """The state of a key that was never written. It reads as None, but unlike a written None it can be appended to."""

    ABSENT = "absent"


class KeyValue(Model):
    """One key of `actors.state.key_value`: read, write, cas (compare-and-set), append, and delete.

    What is appended to is a list; it is a text (`Text`) where all that is appended are texts and nobody found a list.
    """

    functions: ClassVar[tuple[str, ...]] = ("read", "write", "cas", "append", "delete")
    aliases: ClassVar[Mapping[str, str]] = {"get": "read", "put": "write", "set": "write", "compare-and-set": "cas"}
    initial: State = Absent.ABSENT

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`; the semantics are those of `actors.state.key_value.KeyValue`, function by function."""
        found: Any = None if state is Absent.ABSENT else state
        if function == "read":
            return state if found == result else REFUSED
        if function == "write":
            return value
        if function == "cas":
            expected, new = value
            if outcome == "fail":
                return state if found != expected and (result is UNSEEN or found == result) else REFUSED
            return new if found == expected else REFUSED
        if function == "delete":
            return Absent.ABSENT
        return self.append(state, value, result, outcome)

    @property
    def reads_at_first(self) -> Any:
        """What a read finds before anything was written."""
        return None if self.initial is Absent.ABSENT else self.initial

    def append(self, state: State, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """Add an item to the list; an absent key is an empty list."""
        items: Any = () if state is Absent.ABSENT else state
        fits = isinstance(items, tuple) and not isinstance(value, tuple)
        if outcome == "fail":
            return state if items == result and not fits else REFUSED
        return (*items, value) if fits else REFUSED

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`. Reads go; a write, cas or append goes if what it would leave was never met.

        An unmet value stays until the next write or cas, and nothing that needs a state can come in between (an
        append leaves a list, in which the unmet item would stay), so that leaving it out changes no answer. But a
        compare that met something unnamed may have met any value.
        """
        met = _met(definite, unknown)
        appends = _uses((*definite, *unknown), "append")
        return [operation for operation in unknown if _may_be_met(operation, met, appends)]

    def simplify(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> Model:
        """See `Model.simplify`: what only grows is the longest that was found, as far as it has grown."""
        everything = (*definite, *unknown)
        if not any(operation.function == "append" for operation in everything):
            return self
        found = [one.result for one in definite if self.only_looks(one.function, one.outcome)]
        appended = [one.value for one in everything if one.function == "append"]
        lists = any(isinstance(one, tuple) for one in (*found, self.initial))
        texts = not lists and all(isinstance(one, str) for one in appended)
        grows = all(operation.function in ("read", "append") for operation in everything)
        if texts:
            return GrowingText(definite, self.initial) if grows else _text(self, everything)
        return GrowingList(definite) if grows and self.initial is Absent.ABSENT else self

    def needs(self, operation: Operation) -> Hashable:
        """See `Model.needs`. Lists are left out: appends make more of them than can be told in advance."""
        found: Any = operation.result
        if found is UNSEEN:
            return NOTHING
        if operation.function == "read" or operation.outcome == "fail":
            return self.shows(operation.result)
        return self.shows(change_of(operation)[0]) if operation.function == "cas" else NOTHING

    def gives(self, operation: Operation) -> Hashable:
        """See `Model.gives`."""
        if operation.outcome == "fail" or operation.function in ("read", "append"):
            return NOTHING
        if operation.function == "delete":
            return self.shows(Absent.ABSENT)
        return self.shows(change_of(operation)[1] if operation.function == "cas" else operation.value)

    def shows(self, state: State) -> Hashable:
        """See `Model.shows`."""
        if isinstance(state, tuple):
            return NOTHING
        return None if state is Absent.ABSENT else state

    def problem(self, operation: Operation) -> str | None:
        """See `Model.problem`."""
        if operation.function != "cas" or (isinstance(operation.value, tuple) and len(operation.value) == 2):
            return None
        return f"its value is {operation.value!r}, which is no pair [expected, new]"


class Register(KeyValue):
    """A register: read and write."""

    functions: ClassVar[tuple[str, ...]] = ("read", "write")
    aliases: ClassVar[Mapping[str, str]] = {"get": "read", "put": "write", "set": "write"}


class CasRegister(KeyValue):
    """A register with compare-and-set."""

    functions: ClassVar[tuple[str, ...]] = ("read", "write", "cas")


class Lost(enum.Enum):
    """The state of a text that is no beginning of any that somebody found: all such are alike."""

    LOST = "lost"


class Text(KeyValue):
    """A key whose values are texts, and appends make them longer. An absent key is an empty text to them."""

    prefixes: ClassVar[bool] = True

    def __init__(self, everything: Iterable[Operation] = ()) -> None:
        self.found = sorted(text for text in _met(everything, ()) if isinstance(text, str))

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        after = super().step(state, function, value, result, outcome)
        return self.kept(after) if isinstance(after, str) else after

    def kept(self, text: str) -> State:
        """The text, if it begins any that somebody found."""
        place = bisect_left(self.found, text)
        begins = place < len(self.found) and self.found[place].startswith(text)
        return text if begins else Lost.LOST

    def append(self, state: State, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """Put a text behind the one that is there."""
        if state is Lost.LOST:
            return state if isinstance(value, str) and outcome != "fail" else REFUSED
        found = "" if state is Absent.ABSENT or state is None else state
        fits = isinstance(found, str) and isinstance(value, str)
        if outcome == "fail":
            return state if found == result and not fits else REFUSED
        return f"{found}{value}" if fits else REFUSED

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`: all but reads, for any text may be met as the beginning of a longer one."""
        return [operation for operation in unknown if operation.function != "read"]

    def simplify(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> Model:
        """See `Model.simplify`."""
        return self

    @staticmethod
    def begins(state: State, text: Any) -> bool:
        """See `Model.begins`."""
        if state is Absent.ABSENT or state is None:
            return text is None or isinstance(text, str)
        return text.startswith(state) if isinstance(text, str) and isinstance(state, str) else bool(state == text)


class Growing(Model):
    """A key that is only read and appended to. The state is the length; -1 where nothing was ever appended.

    While it is not longer than the longest value that a definite operation found, it is the beginning of that one;
    once it is longer nothing finds it any more, so that all longer ones are one state.
    """

    functions: ClassVar[tuple[str, ...]] = ("read", "append")
    longest: Any
    start: Any  # what stands there at first
    kind: ClassVar[Any]  # tuple or str

    def __init__(self, definite: Sequence[Operation], start: Any) -> None:
        found = [one.result for one in definite if self.only_looks(one.function, one.outcome)]
        self.start = None if start is Absent.ABSENT else start
        empty = self.kind() if self.start is None else self.start
        fitting: list[Any] = [one for one in found if isinstance(one, self.kind)]
        self.longest = max(fitting, key=len, default=empty)
        self.initial = -1 if self.start is None else len(self.start)
        self.fits = self.start is None or self.longest[: len(self.start)] == self.start

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        assert isinstance(state, int)
        if function == "append" and outcome != "fail":
            return self.grown(state, value)
        if function == "append" and self.may_append(value):
            return REFUSED
        if state < 0:
            return state if result == (None if function == "read" else self.kind()) else REFUSED
        same = isinstance(result, self.kind) and len(result) == state and result == self.longest[:state]
        return state if same and self.fits else REFUSED

    def grown(self, state: int, value: Any) -> State | Refused:
        if not self.may_append(value):
            return REFUSED
        added, state = self.added(value), max(0, state)
        beyond = len(self.longest) + 1
        if state >= len(self.longest):
            return (beyond if len(added) else state) if state < beyond else beyond
        after = state + len(added)
        return after if self.longest[state:after] == added else REFUSED

    def may_append(self, value: Any) -> bool:
        raise NotImplementedError

    def added(self, value: Any) -> Any:
        raise NotImplementedError

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`: an append of what nobody found leaves what nobody finds any more."""
        return [one for one in unknown if one.function == "append" and self.was_found(one.value)]

    def was_found(self, value: Any) -> bool:
        """Whether what an append adds stands in the longest value."""
        return self.may_append(value) and value in self.longest

    def needs(self, operation: Operation) -> Hashable:
        """See `Model.needs`."""
        if self.only_looks(operation.function, operation.outcome):
            found: Any = operation.result
            return len(found) if isinstance(found, self.kind) else -1
        return NOTHING

    def shows(self, state: State) -> Hashable:
        """See `Model.shows`. Each length is shown once, by the append that reaches it: nothing gives it again."""
        return int(state)


class GrowingList(Growing):
    """Lists: an append adds one item."""

    kind: ClassVar[Any] = tuple

    def __init__(self, definite: Sequence[Operation]) -> None:
        super().__init__(definite, Absent.ABSENT)

    def may_append(self, value: Any) -> bool:
        return not isinstance(value, tuple)

    def added(self, value: Any) -> Any:
        return (value,)


class GrowingText(Growing):
    """Texts: an append puts one behind the other."""

    kind: ClassVar[Any] = str

    def may_append(self, value: Any) -> bool:
        return isinstance(value, str)

    def added(self, value: Any) -> Any:
        return value


def _text(model: KeyValue, everything: Iterable[Operation]) -> Model:
    text = Text(everything)
    text.initial = text.kept(model.initial) if isinstance(model.initial, str) else model.initial
    return text


def _uses(operations: Iterable[Operation], function: str) -> bool:
    return any(operation.function == function for operation in operations)


def _met(definite: Iterable[Operation], unknown: Iterable[Operation]) -> set[Any]:
    """All values, and all items of lists, that an operation found or would have to find."""
    met: set[Any] = set()
    for operation in definite:
        if operation.outcome != "info" and (operation.function == "read" or operation.outcome == "fail"):
            met.add(operation.result)
    for operations in (definite, unknown):
        met.update(change_of(operation)[0] for operation in operations if operation.function == "cas")
    for value in tuple(met):
        if isinstance(value, tuple):
            met.update(value)
    return met


def _may_be_met(operation: Operation, met: set[Any], appends: bool) -> bool:
    if operation.function == "read":
        return False
    if UNSEEN in met:
        return True
    if operation.function == "delete":
        return appends or None in met  # what is appended afterwards begins a new list
    left = change_of(operation)[1] if operation.function == "cas" else operation.value
    return isinstance(left, tuple) or left in met  # what is appended to a written list is met as a longer one


def change_of(operation: Operation) -> tuple[Value, Value]:
    """(expected, new) of a cas."""
    assert isinstance(operation.value, tuple)
    expected, new = operation.value
    return expected, new
