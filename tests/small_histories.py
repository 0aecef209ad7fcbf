"""All kinds of small histories, and an oracle that knows nothing but orders: every one is tried.

Each machine is a plain sequential object, written without a look at the models that it is to judge: what may an
operation return in a state, and what state does it leave?
"""

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from actors.history import Operation, Outcome

Options = list[tuple[Any, Any]]
"""(result, state after) of each way in which an operation may go; none if it can't succeed."""


class Machine(NamedTuple):
    """A sequential object."""

    start: Any
    functions: tuple[str, ...]
    values: Callable[[random.Random, str], Any]
    go: Callable[[Any, str, Any], Options]
    results: tuple[Any, ...]  # what a wrong system might answer


def register(state: Any, function: str, value: Any) -> Options:
    if function == "read":
        return [(state, state)]
    if function == "write":
        return [(value, value)]
    return [(value, value[1])] if state == value[0] else []


def store(state: Any, function: str, value: Any) -> Options:
    """A key that holds a text."""
    if function == "get":
        return [(state, state)]
    after = {"put": value, "append": (state or "") + (value or ""), "delete": None}[function]
    return [(value, after)]


def counter(state: Any, function: str, value: Any) -> Options:
    return [(state, state)] if function == "read" else [(value, state + (value if function == "add" else -1))]


def sets(state: Any, function: str, value: Any) -> Options:
    if function == "read":
        return [(tuple(sorted(state, reverse=True)), state)]
    return [(value, state | {value} if function == "add" else state - {value})]


def fifo(state: Any, function: str, value: Any) -> Options:
    if function == "enqueue":
        return [(value, (*state, value))]
    return [(state[0], state[1:])] if state else [(None, state)]


def bag(state: Any, function: str, value: Any) -> Options:
    if function == "enqueue":
        return [(value, (*state, value))]
    taken = [(item, (*state[:place], *state[place + 1 :])) for place, item in enumerate(state)]
    return taken or [(None, state)]


def stack(state: Any, function: str, value: Any) -> Options:
    if function == "push":
        return [(value, (*state, value))]
    return [(state[-1], state[:-1])] if state else [(None, state)]


def mutex(state: Any, function: str, value: Any) -> Options:
    return [] if state == (function == "acquire") else [(None, not state)]


def fencing(state: Any, function: str, value: Any) -> Options:
    """The state: (token of the holder or None, greatest token). Tokens up to 6 are tried."""
    held, last = state
    if function == "acquire":
        return [] if held is not None else [(token, (token, token)) for token in range(last + 1, 7)]
    return [(None, (None, last))] if held is not None and value in (None, held) else []


def several(state: Any, function: str, value: Any) -> Options:
    """Two registers; value is a list of micro-operations whose reads are filled in."""
    registers, done = dict(state), []
    for kind, name, item in value:
        if kind == "w":
            registers[name] = item
        done.append((kind, name, registers.get(name) if kind == "r" else item))
    return [(tuple(done), tuple(sorted(registers.items())))]


def pick(*values: Any) -> Callable[[random.Random, str], Any]:
    return lambda rng, _: rng.choice(values)


def micro(rng: random.Random, _: str) -> Any:
    steps = [
        rng.choice((("r", name, None), ("w", name, rng.randrange(2)))) for name in rng.sample("xy", rng.choice((1, 2)))
    ]
    return tuple(steps)


PAIRS = [(old, new) for old in (None, 1, 2) for new in (1, 2)]
MACHINES: dict[str, Machine] = {
    "register": Machine(
        None, ("read", "write"), lambda rng, f: rng.choice((1, 2)) if f == "write" else None, register, (None, 1, 2)
    ),
    "cas-register": Machine(
        None,
        ("read", "write", "cas"),
        lambda rng, f: {"read": None, "write": rng.choice((1, 2)), "cas": rng.choice(PAIRS)}[f],
        register,
        (None, 1, 2),
    ),
    "kv": Machine(
        None,
        ("get", "get", "put", "append", "append", "delete"),
        lambda rng, f: rng.choice(("a", "b")) if f in ("put", "append") else None,
        store,
        (None, "a", "b", "ab", "ba", "aa", "aab"),
    ),
    "linearizable-counter": Machine(
        0,
        ("read", "add", "decrement"),
        lambda rng, f: rng.choice((1, 2, -1)) if f == "add" else None,
        counter,
        (0, 1, 2, 3),
    ),
    "linearizable-set": Machine(
        frozenset(),
        ("read", "add", "remove"),
        lambda rng, f: None if f == "read" else rng.choice((1, 2)),
        sets,
        ((), (1,), (2,), (2, 1)),
    ),
    "fifo-queue": Machine(
        (), ("enqueue", "dequeue"), lambda rng, f: rng.choice((1, 2)) if f == "enqueue" else None, fifo, (None, 1, 2)
    ),
    "unordered-queue": Machine(
        (), ("enqueue", "dequeue"), lambda rng, f: rng.choice((1, 2)) if f == "enqueue" else None, bag, (None, 1, 2)
    ),
    "stack": Machine(
        (), ("push", "pop"), lambda rng, f: rng.choice((1, 2)) if f == "push" else None, stack, (None, 1, 2)
    ),
    "mutex": Machine(False, ("acquire", "release"), pick(None), mutex, (None,)),
    "fencing-lock": Machine(
        (None, 0),
        ("acquire", "release"),
        lambda rng, f: None if f == "acquire" else rng.choice((None, 1, 2)),
        fencing,
        (1, 2, 3),
    ),
    "multi-register": Machine((), ("txn",), micro, several, ()),
}


def comes_first(one: Operation, other: Operation) -> bool:
    """Whether `one` must take effect before `other`: it ended earlier, or in its process it was asked earlier."""
    if one.return_ns is None:
        return False
    earlier = one.process == other.process and one.intended_ns < other.intended_ns
    return earlier or one.return_ns < other.invoke_ns


def has_an_order(history: list[Operation], machine: Machine) -> bool:
    """Whether some order of the definite operations, and some of the unknown ones, is one of the machine."""
    left = [one for one in history if one.outcome != "fail"]
    return _places(left, machine.start, machine)


def _places(left: list[Operation], state: Any, machine: Machine) -> bool:
    if all(one.outcome == "info" for one in left):
        return True
    for one in left:
        if any(comes_first(other, one) for other in left if other is not one):
            continue
        rest = [other for other in left if other is not one]
        for result, after in machine.go(state, one.function, one.value):
            fits = one.outcome == "info" or one.function in WRITERS or result == one.result
            if fits and _places(rest, after, machine):
                return True
    return False


WRITERS = ("write", "put", "append", "delete", "add", "decrement", "remove", "enqueue", "push", "cas", "release")


def intervals(rng: random.Random, longest: int, processes: int = 3) -> Iterator[tuple[int, int, int, int, Outcome]]:
    """(number, process, start, end, outcome) of operations with ties in time; now and then one is never answered."""
    clock = dict.fromkeys(range(processes), 0)
    for number in range(rng.randint(1, longest)):
        process = rng.randrange(processes)
        start = clock[process] + rng.choice((0, 0, 1, 2, 3))
        end = start + rng.choice((0, 1, 2, 4, 6))
        outcome: Outcome = rng.choices(("ok", "info", "fail"), (16, 3, 1))[0]
        clock[process] = end if outcome != "info" else start + rng.randrange(3)
        yield number, process, start, end, outcome


def operation(number: int, process: int, start: int, end: int, outcome: Outcome, **what: Any) -> Operation:
    return Operation(
        process=process,
        node=0,
        workload="w",
        key=what.pop("key", "k"),
        intended_ns=number,
        invoke_ns=start,
        return_ns=None if outcome == "info" else end,
        outcome=outcome,
        **what,
    )


def drawn(machine: Machine, seed: int, longest: int = 6) -> list[Operation]:
    """A history that a real machine made, each operation taking effect within its interval; some then told wrongly."""
    rng = random.Random(seed)
    asked = []
    for number, process, start, end, outcome in intervals(rng, longest):
        function = rng.choice(machine.functions)
        value = machine.values(rng, function)
        asked.append(operation(number, process, start, end, outcome, function=function, value=value))
    state, done = machine.start, []
    for one in sorted(
        asked, key=lambda one: (rng.uniform(one.invoke_ns, one.return_ns or one.invoke_ns + 6), one.intended_ns)
    ):
        options = machine.go(state, one.function, one.value)
        if not options:
            done.append(msgspec.structs.replace(one, outcome="fail", return_ns=one.return_ns or one.invoke_ns))
            continue
        result, after = rng.choice(options)
        acts = one.outcome == "ok" or (one.outcome == "info" and rng.random() < 0.5)
        state = after if acts else state
        done.append(msgspec.structs.replace(one, result=result if one.outcome == "ok" else None))
    lie, definite = rng.random(), [place for place, one in enumerate(done) if one.outcome == "ok"]
    if lie < 0.4 and machine.results and definite:
        place = rng.choice(definite)
        if done[place].function not in WRITERS:
            done[place] = msgspec.structs.replace(done[place], result=rng.choice(machine.results))
    elif lie < 0.7 and len(definite) > 1:
        one, other = rng.sample(definite, 2)  # they trade what they did
        done[one], done[other] = _as(done[one], done[other]), _as(done[other], done[one])
    return sorted(done, key=lambda one: (one.invoke_ns, one.intended_ns))


def _as(one: Operation, other: Operation) -> Operation:
    """The interval of one operation with what another did."""
    return msgspec.structs.replace(one, function=other.function, value=other.value, result=other.result)
