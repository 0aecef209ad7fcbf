"""A counter that grows and shrinks while it is read: every read lies within what may have been counted."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.verdict import Verdict

READS = ("read", "get")
SIGNS = {"add": 1, "increment": 1, "inc": 1, "incr": 1, "decrement": -1, "dec": -1, "decr": -1}


def counter(history: Sequence[Operation], *, initial: Any = 0) -> Verdict:
    """Every read lies between the least and the greatest value that the counter may have had while it ran.

    Least: all that was added for certain before the read began, and all that may have been taken away by its end;
    greatest: the other way round. (Jepsen's counter checker, for amounts of either sign.)

    Sound: what lies outside was never there. Not complete: of a value inside the bounds it isn't asked whether any set
    of additions makes it, nor whether reads agree with each other; `linearizable-counter` does.
    """
    by_key: dict[str, list[tuple[int, Operation]]] = defaultdict(list)
    for place, one in enumerate(history):
        by_key[one.key].append((place, one))
    start = 0 if initial is None else initial
    wrong = [case for key in by_key for case in _of_key(by_key[key], start)]
    reads = sum(1 for one in history if one.function in READS and one.outcome == "ok")
    unknown = "" if reads else "nobody read the counter"
    return verdict_of(
        {"out-of-bounds": wrong}, checked=reads, method="bounds of every read", unknown=unknown, keys=len(by_key)
    )


def _of_key(operations: Sequence[tuple[int, Operation]], initial: Any) -> list[dict[str, Any]]:
    added = [(one, amount(one)) for _, one in operations if one.function in SIGNS and one.outcome != "fail"]
    certain = [(one.return_ns, by) for one, by in added if one.outcome == "ok" and one.return_ns is not None]
    sums = {
        "certain up": _Sum([(time, by) for time, by in certain if by > 0]),
        "certain down": _Sum([(time, by) for time, by in certain if by < 0]),
        "begun up": _Sum([(one.invoke_ns, by) for one, by in added if by > 0]),
        "begun down": _Sum([(one.invoke_ns, by) for one, by in added if by < 0]),
    }
    wrong = []
    for place, one in operations:
        if one.function not in READS or one.outcome != "ok" or one.return_ns is None:
            continue
        least = initial + sums["certain up"].before(one.invoke_ns) + sums["begun down"].until(one.return_ns)
        most = initial + sums["begun up"].until(one.return_ns) + sums["certain down"].before(one.invoke_ns)
        value = one.result
        if not isinstance(value, int | float) or not least <= value <= most:
            what = f"{named(one, place)} returned {value!r}, which is not from {least} to {most}"
            wrong.append({"operation": place, "value": value, "least": least, "most": most, "what": what})
    return wrong


class _Sum:
    """The sum of amounts up to a time."""

    def __init__(self, amounts: Sequence[tuple[int, Any]]) -> None:
        ordered = sorted(amounts)
        self._times = [time for time, _ in ordered]
        self._sums = [0, *accumulate(by for _, by in ordered)]

    def before(self, time_ns: int) -> Any:
        return self._sums[bisect_left(self._times, time_ns)]

    def until(self, time_ns: int) -> Any:
        return self._sums[bisect_right(self._times, time_ns)]


def amount(one: Operation) -> Any:
    """By how much an operation changes the counter."""
    by: Any = 1 if one.value is None else one.value
    return SIGNS[one.function] * by if isinstance(by, int | float) else 0
