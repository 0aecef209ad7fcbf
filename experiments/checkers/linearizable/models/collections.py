"""Counters, sets, queues and stacks."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from actors.history import Operation, Outcome
from experiments.checkers.linearizable.models.base import REFUSED, Model, One, Refused, State, UnusableModel


class Counter(Model):
    """A number: read, add (by any amount), increment and decrement (by 1 where no amount is given)."""

    functions: ClassVar[tuple[str, ...]] = ("read", "add", "increment", "decrement")
    aliases: ClassVar[Mapping[str, str]] = {"get": "read", "inc": "increment", "incr": "increment", "dec": "decrement"}
    initial: State = 0

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        if function == "read":
            return state if state == result else REFUSED
        amount = 1 if value is None else value
        return state - amount if function == "decrement" else state + amount

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`: reads go."""
        return [one for one in unknown if one.function != "read"]

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`."""
        if not _is_number(value):
            raise UnusableModel(f"a counter can't begin with {value!r}, which is no number")
        return super().starting_from(value)

    def problem(self, operation: Operation) -> str | None:
        """See `Model.problem`."""
        if operation.function == "read" or operation.value is None or _is_number(operation.value):
            return None
        return f"its amount is {operation.value!r}, which is no number"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Set(Model):
    """A set: add, remove, read (all elements, in any order)."""

    functions: ClassVar[tuple[str, ...]] = ("add", "remove", "read")
    aliases: ClassVar[Mapping[str, str]] = {"get": "read", "insert": "add", "delete": "remove"}
    initial: State = frozenset()

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`. A read that lists an element twice is none of a set."""
        assert isinstance(state, frozenset)
        if function == "read":
            items = result or ()
            return state if len(items) == len(state) and state == frozenset(items) else REFUSED
        return state | {value} if function == "add" else state - {value}

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """See `Model.only_looks`."""
        return function == "read" or outcome == "fail"

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`: reads go, and so do adds of what no read found: every read needs that they were not."""
        found = {item for one in definite if one.function == "read" for item in _items(one.result)}
        removed = any(one.function == "remove" for some in (unknown, definite) for one in some)
        return [one for one in unknown if one.function != "read" and (removed or one.value in found)]

    def problem(self, operation: Operation) -> str | None:
        """See `Model.problem`."""
        if operation.function != "read" or operation.outcome != "ok" or isinstance(operation.result, tuple | None):
            return None
        return f"it read {operation.result!r}, which is no list of elements"

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`."""
        return super().starting_from(frozenset(_elements(value)))


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


def _elements(value: Any) -> tuple[Any, ...]:
    """What a collection holds at first. Raises UnusableModel if it is no list."""
    if value is not None and not isinstance(value, tuple):
        raise UnusableModel(f"it can't begin with {value!r}, which is no list of elements")
    return value or ()


class FifoQueue(Model):
    """A queue: enqueue, and dequeue of the oldest; a dequeue that returned nothing met an empty queue."""

    functions: ClassVar[tuple[str, ...]] = ("enqueue", "dequeue")
    aliases: ClassVar[Mapping[str, str]] = {"push": "enqueue", "pop": "dequeue", "put": "enqueue", "take": "dequeue"}
    initial: State = ()

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        assert isinstance(state, tuple)
        if function == "enqueue":
            return (*state, value)
        if outcome == "info":
            return state[1:] if state else REFUSED
        if result is None:
            return REFUSED if state else state
        return state[1:] if state and state[0] == result else REFUSED

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`."""
        return super().starting_from(_elements(value))


class Stack(Model):
    """A stack: push, and pop of the youngest; a pop that returned nothing met an empty stack."""

    functions: ClassVar[tuple[str, ...]] = ("push", "pop")
    aliases: ClassVar[Mapping[str, str]] = {}
    initial: State = ()

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        assert isinstance(state, tuple)
        if function == "push":
            return (*state, value)
        if outcome == "info":
            return state[:-1] if state else REFUSED
        if result is None:
            return REFUSED if state else state
        return state[:-1] if state and state[-1] == result else REFUSED

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`."""
        return super().starting_from(_elements(value))


class UnorderedQueue(Model):
    """A bag: a dequeue returns any element, or nothing if there is none. The state is a frozen set of (element, n)."""

    functions: ClassVar[tuple[str, ...]] = ("enqueue", "dequeue")
    aliases: ClassVar[Mapping[str, str]] = FifoQueue.aliases
    initial: State = frozenset()

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        assert isinstance(state, frozenset)
        if function == "enqueue":
            return _changed(state, value, 1)
        if outcome == "info":
            raise AssertionError("an unknown dequeue has several effects: see `effects`")
        if result is None:
            return REFUSED if state else state
        return _changed(state, result, -1)

    def effects(self, state: State, function: str, value: Any) -> Iterable[State]:
        """See `Model.effects`: an unknown dequeue may have taken any element."""
        assert isinstance(state, frozenset)
        if function == "enqueue":
            return (_changed(state, value, 1),)
        return [_changed(state, item, -1) for item, _ in sorted(state, key=repr)]

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`: a dequeue can only help one that met an empty queue, an enqueue one that met it."""
        taken = {one.result for one in definite if one.function == "dequeue"}
        return [one for one in unknown if (None in taken if one.function == "dequeue" else one.value in taken)]

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`."""
        state: Any = frozenset()
        for item in _elements(value):
            state = _changed(state, item, 1)
        return super().starting_from(state)


def _changed(bag: frozenset[tuple[Hashable, int]], item: Hashable, by: int) -> State | Refused:
    """The bag with one more or one less of an item; REFUSED if there is none."""
    count = next((number for known, number in bag if known == item), 0)
    if count + by < 0:
        return REFUSED
    rest = bag - {(item, count)}
    return rest | {(item, count + by)} if count + by else rest
