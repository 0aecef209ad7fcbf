"""Who read and wrote which version of a key: what session guarantees, causality and staleness are told by.

A version is a value that was written to a key; each must have been written once. What an append adds is one too: a read
of a list reads its last item, and tells the order of all before it.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from actors.history import Operation
from experiments.checkers.linearizable.objects import is_answer

Version: TypeAlias = tuple[str, Hashable]
"""(key, value); value None: what stood there at first."""

READS, WRITES = ("read", "get", "r"), ("write", "put", "w")
APPENDS, COMPARES = ("append",), ("cas", "compare-and-set")


class Step(NamedTuple):
    """A read or a write that an operation did."""

    writes: bool
    version: Version
    place: int  # of the operation, in the history
    process: int
    invoke_ns: int
    return_ns: int | None  # None: it may take effect at any later time


class Accesses(NamedTuple):
    """All that can be told of a history."""

    steps: list[Step]  # in order of invocation; those of one process in its order
    writers: dict[Version, Step]
    orders: list[tuple[Version, Version]]  # one stood in a list right before the other
    unwritten: list[Step]  # reads of versions that nobody wrote
    unclear: dict[str, str]  # key -> why its versions can't be told


def accesses(history: Sequence[Operation], *, initial: Hashable = None) -> Accesses:
    """Take a history apart. Failed operations are left out, but for what they were shown.

    Of unknown outcome only writes are kept. Keys with a value written twice, or with the initial one written, are
    `unclear`, and left out.
    """
    steps: list[Step] = []
    orders: list[tuple[Version, Version]] = []
    for place, one in enumerate(history):
        steps.extend(_steps(one, place, orders, initial))
    written = Counter(step.version for step in steps if step.writes)
    unclear = {
        version[0]: f"{version[1]!r} was written more than once" if count > 1 else "its initial value was written"
        for version, count in written.items()
        if count > 1 or version[1] is None
    }
    kept = [step for step in steps if step.version[0] not in unclear]
    writers = {step.version: step for step in kept if step.writes}
    unwritten = [
        step for step in kept if not step.writes and step.version[1] is not None and step.version not in writers
    ]
    lost = {step.version for step in unwritten}
    return Accesses(
        steps=[step for step in kept if step.version not in lost],
        writers=writers,
        orders=[pair for pair in orders if pair[0][0] not in unclear and not lost & set(pair)],
        unwritten=unwritten,
        unclear=unclear,
    )


def _steps(one: Operation, place: int, orders: list[tuple[Version, Version]], initial: Hashable) -> list[Step]:
    """What an operation read, then what it wrote."""
    known = one.outcome == "ok" and one.return_ns is not None
    shown = known or is_answer(one)

    def step(value: Hashable, *, writes: bool) -> Step:
        end_ns = one.return_ns if shown else None
        version = (one.key, None if value == initial and not writes else value)
        return Step(writes, version, place, one.process, one.invoke_ns, end_ns)

    if one.function in READS and known:
        return [step(_last(one, orders), writes=False)]
    if one.outcome == "fail":
        return (
            [step(one.result, writes=False)]
            if shown and one.function in COMPARES and one.error == "compare-failed"
            else []
        )
    if one.function in WRITES or one.function in APPENDS:
        return [step(one.value, writes=True)]
    if one.function in COMPARES and isinstance(one.value, tuple) and len(one.value) == 2:
        looked = [step(one.value[0], writes=False)] if known else []
        return [*looked, step(one.value[1], writes=True)]
    return []


def _last(one: Operation, orders: list[tuple[Version, Version]]) -> Hashable:
    """The version that a read saw: the value, or the last item of a list."""
    if not isinstance(one.result, tuple):
        return one.result
    items = [(one.key, item) for item in one.result]
    orders.extend(pairwise(items))
    return items[-1][1] if items else None


def by_session(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps of each session in its order. A write of unknown outcome ends a session of its own: see `forked`."""
    sessions: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        if not (step.writes and step.return_ns is None):
            sessions[step.process].append(step)
    return list(sessions.values())


def forked(steps: Sequence[Step]) -> list[tuple[Step, Step | None]]:
    """Each write of unknown outcome with the step that its process had ended before: nothing is ordered after it."""
    last: dict[int, Step] = {}
    found = []
    for step in steps:
        if step.writes and step.return_ns is None:
            found.append((step, last.get(step.process)))
        else:
            last[step.process] = step
    return found
