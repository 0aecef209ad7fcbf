"""A value that only grows: no read falls behind one that had ended before it began."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.verdict import Verdict

READS = ("read", "get", "inc", "increment")


def monotonic(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """What reads return never falls, in real time and within each process, key by key.

    Sound and complete for that property: a case for each read that returned less than one that had ended before. A
    read of nothing is the least there is.
    """
    by_key: dict[str, list[tuple[int, Operation]]] = defaultdict(list)
    for place, one in enumerate(history):
        if one.outcome == "ok" and one.function in READS and one.return_ns is not None:
            by_key[one.key].append((place, one))
    fallen = [case for key in by_key for case in _fallen(by_key[key])]
    checked = sum(map(len, by_key.values()))
    method = "the greatest value read before each read"
    unknown = "" if checked else "nobody read anything"
    return verdict_of({"fell": fallen}, checked=checked, method=method, unknown=unknown, keys=len(by_key))


def _fallen(reads: list[tuple[int, Operation]]) -> list[dict[str, Any]]:
    ended = sorted(reads, key=lambda pair: (pair[1].return_ns or 0, pair[0]))
    greatest: tuple[int, Operation] | None = None
    own: dict[int, tuple[int, Operation]] = {}
    cases, done = [], 0
    for place, one in sorted(reads, key=lambda pair: (pair[1].invoke_ns, pair[0])):
        while done < len(ended) and (ended[done][1].return_ns or 0) < one.invoke_ns:
            greatest = _greater(greatest, ended[done])
            done += 1
        before = _greater(greatest, own[one.process]) if one.process in own else greatest
        if before is not None and rank(one.result) < rank(before[1].result):
            earlier = f"{named(before[1], before[0])} had {before[1].result!r}"
            what = f"{named(one, place)} returned {one.result!r} after {earlier}"
            cases.append({"operations": [before[0], place], "what": what})
        own[one.process] = _greater(own.get(one.process), (place, one))
    return cases


def _greater(one: tuple[int, Operation] | None, other: tuple[int, Operation]) -> tuple[int, Operation]:
    return other if one is None or rank(other[1].result) > rank(one[1].result) else one


def rank(value: Any) -> tuple[int, Any]:
    """Values in order: nothing, then numbers, then texts, then lists by their length."""
    if value is None:
        return (0, 0)
    if isinstance(value, int | float):
        return (1, value)
    return (2, value) if isinstance(value, str) else (3, len(value))
