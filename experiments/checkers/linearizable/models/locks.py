"""Mutexes, fencing locks and leases."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from actors.history import Operation, Outcome
from experiments.checkers.linearizable.models.base import REFUSED, Model, One, Refused, State, UnusableModel

NEVER_NS = (1 << 63) - 1


class Mutex(Model):
    """A lock without an owner: acquire when it is free, release when it is held. The state: whether it is held."""

    functions: ClassVar[tuple[str, ...]] = ("acquire", "release")
    aliases: ClassVar[Mapping[str, str]] = {"lock": "acquire", "unlock": "release"}
    initial: State = False

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        wanted = function == "acquire"
        return REFUSED if state == wanted else wanted

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`."""
        return super().starting_from(bool(value))


class FencingLock(Model):
    """A lock whose every acquire is answered with a token greater than all before (Kleppmann, 2016).

    The state: (held, the greatest token so far, whether that is only the least which it can be). A release may name
    its token, and then is right only for the holder's.
    """

    functions: ClassVar[tuple[str, ...]] = ("acquire", "release")
    aliases: ClassVar[Mapping[str, str]] = Mutex.aliases
    initial: State = (False, None, False)

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`. An acquire that nobody was answered took at least the next token."""
        held, last, at_least = state
        if function == "acquire":
            if held:
                return REFUSED
            if outcome == "info":
                return True, None if last is None else last + 1, True
            return (True, result, False) if last is None or result > last else REFUSED
        if not held:
            return REFUSED
        if value is None or value == last:
            return False, last, at_least and value is None
        later = at_least and (last is None or value > last)
        return (False, value, False) if later else REFUSED

    def problem(self, operation: Operation) -> str | None:
        """See `Model.problem`."""
        token = operation.result if operation.function == "acquire" else operation.value
        if operation.outcome != "ok" or type(token) is int:
            return None
        if operation.function == "release":
            return None if token is None else f"its token is {token!r}, which is no integer"
        return f"it was answered with the token {token!r}, which is no integer"

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`: the greatest token given out before."""
        if value is not None and type(value) is not int:
            raise UnusableModel(f"a fencing lock can't begin with the token {value!r}, which is no integer")
        return super().starting_from((False, value, False))


class Lease(Model):
    """A lock that lapses by itself (Gray and Cheriton, SOSP 1989): acquire and renew for so many ns, release.

    It may be acquired by another only after it was released, or its time had passed since the moment of its last
    grant; by its holder at any time. The state: (holder, the earliest time that it may lapse, the time now), each
    operation taking effect as early as the order allows, which lets the next one happen as early as can be.
    """

    functions: ClassVar[tuple[str, ...]] = ("acquire", "renew", "release")
    aliases: ClassVar[Mapping[str, str]] = {"lock": "acquire", "unlock": "release", "extend": "renew"}
    initial: State = (None, 0, -(1 << 62))

    def prepare(self, operation: Operation) -> Operation:
        """See `Model.prepare`: who asks, for how long, and when is part of the question."""
        end_ns = NEVER_NS if operation.return_ns is None else operation.return_ns
        question: Any = (operation.process, ttl_ns(operation.value), operation.invoke_ns, end_ns)
        return msgspec.structs.replace(operation, value=question)

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """See `Model.step`."""
        holder, lapses_ns, now_ns = state
        process, granted_ns, invoke_ns, end_ns = value
        now_ns = max(now_ns, invoke_ns)
        if function != "acquire" and holder != process:
            return REFUSED
        if function == "acquire" and holder not in (None, process):
            now_ns = max(now_ns, lapses_ns)
        if now_ns > (NEVER_NS if outcome == "info" else end_ns):
            return REFUSED
        if function == "release":
            return None, 0, now_ns
        return process, NEVER_NS if granted_ns is None else now_ns + granted_ns, now_ns

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """See `Model.visible`."""
        return list(unknown)

    def problem(self, operation: Operation) -> str | None:
        """See `Model.problem`."""
        time_ns = ttl_ns(operation.value)
        if operation.function == "release" or time_ns is None or (type(time_ns) is int and time_ns >= 0):
            return None
        return f"its time is {operation.value!r}, which is no number of ns"

    def starting_from(self, value: Any) -> Model:
        """See `Model.starting_from`: there is none but free."""
        raise UnusableModel("a lease is free at first; it has no initial value")


def ttl_ns(value: Any) -> Any:
    """How long a lease is granted for: the number itself, or `ttl_ns` of a map; None for ever."""
    if isinstance(value, tuple):
        return dict(pair for pair in value if isinstance(pair, tuple) and len(pair) == 2).get("ttl_ns")
    return value
