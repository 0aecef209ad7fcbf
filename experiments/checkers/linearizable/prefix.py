"""How far a history that is not linearizable can be ordered."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from experiments.checkers.columns import FAIL, INFO, NEVER_NS, OK, Columns, Ints
from experiments.checkers.linearizable.models import KeyValue, Model
from experiments.checkers.linearizable.objects import ObjectHistory, Placed, object_history
from experiments.checkers.linearizable.search import Limits, return_ns, search
from experiments.checkers.linearizable.zones import Zones, zones


def shortest_failing_prefix(
    history: ObjectHistory, model: Model, limits: Limits, furthest_ns: int = 0
) -> tuple[ObjectHistory, Placed]:
    """The shortest prefix, in time, of a history that is not linearizable. What was open at its end is unknown.

    Prefixes of a linearizable history are linearizable, so the end is found by doubling and bisection from where a
    search got to.

    Args:
        furthest_ns: what returned before this can be ordered.

    Returns: the prefix, and the last operation to return in it: all that returned before can be ordered, but not
        this one as well. Where a limit is met, the shortest prefix that is known to fail.
    """
    by_return = sorted(history.definite, key=return_ns)
    furthest = bisect_left(by_return, furthest_ns - history.bound_ns, key=return_ns)
    good, bad, step = min(furthest, len(by_return) - 1), len(by_return), 1  # operations that have returned
    while bad - good > 1:
        middle = min(good + step, (good + bad) // 2)
        step *= 2
        finding = search(_prefix(history, by_return, middle), model, limits)
        if finding.linearizable is None:
            break
        good, bad = (middle, bad) if finding.linearizable else (good, middle)
    return _prefix(history, by_return, bad), by_return[bad - 1]


def _prefix(history: ObjectHistory, by_return: Sequence[Placed], length: int) -> ObjectHistory:
    """The history up to the return of the length-th operation to return."""
    end_ns = return_ns(by_return[length - 1]) + 2 * history.bound_ns
    done = sorted(by_return[:length], key=lambda operation: operation.invoke_ns)
    still_open = [operation for operation in by_return[length:] if operation.outcome == "ok"]
    begun = [operation for operation in (*history.unknown, *still_open) if operation.invoke_ns <= end_ns]
    return history._replace(definite=done, unknown=begun)


def shortest_prefix_that_clashes(
    history: Columns, key: int, model: Model, bound_ns: int, limits: Limits
) -> tuple[ObjectHistory, Placed]:
    """The same for a key that zones have condemned, with no more operations than show it: two values and their writes.

    Where what comes before clashes too, but only by the order in which a process's operations touch, a search finds the
    prefix: zones can't tell.

    Args:
        key: a place in `history.keys`.
    """
    rows = np.flatnonzero(history.key == key)
    one = history.take(rows)
    returned = np.flatnonzero((one.outcome == OK) & (one.return_ns != NEVER_NS))
    returned = returned[np.lexsort((returned, one.return_ns[returned]))]
    good, bad = 0, len(returned)
    while bad - good > 1:
        middle = (good + bad) // 2
        clashes = _judge_prefix(one, returned[:middle], model, bound_ns)[1].clashes
        good, bad = (good, middle) if clashes else (middle, bad)
    if good and _judge_prefix(one, returned[:good], model, bound_ns)[1].disputed:
        whole = object_history(history.keys[key], zip(rows.tolist(), one, strict=True), model, bound_ns)
        return shortest_failing_prefix(whole, model, limits)
    prefix, found_by_zones = _judge_prefix(one, returned[:bad], model, bound_ns)
    clashes = found_by_zones.clashes
    stuck = int(rows[returned[bad - 1]])
    shown = sorted(prefix[row] for row in clashes[0].rows)
    operations = [(int(rows[row]), one.take(np.array([row]))) for row in shown]
    found = object_history(history.keys[key], [(row, part[0]) for row, part in operations], model, bound_ns)
    done = set(rows[returned[:bad]].tolist())
    definite = [operation for operation in found.definite if operation.place in done]
    begun = [operation for operation in found.definite if operation.place not in done]
    shortest = found._replace(definite=definite, unknown=[*found.unknown, *begun])
    return shortest, next(operation for operation in definite if operation.place == stuck)


def _judge_prefix(history: Columns, returned: Ints, model: Model, bound_ns: int) -> tuple[list[int], Zones]:
    """The rows of the prefix that ends when these have returned, and its zones; what had not returned is open."""
    assert isinstance(model, KeyValue), "zones judge nothing else"
    end_ns = history.return_ns[returned[-1]] + 2 * bound_ns
    done = np.zeros(len(history), dtype=bool)
    done[returned] = True
    rows = np.flatnonzero(done | ((history.invoke_ns <= end_ns) & (history.outcome != FAIL)))
    part = history.take(rows)
    still_open = ~done[rows]
    part = replace(
        part,
        return_ns=np.where(still_open, NEVER_NS, part.return_ns),
        outcome=np.where(still_open, INFO, part.outcome).astype(np.int8),
    )
    return rows.tolist(), zones(part, initial=model.reads_at_first, bound_ns=bound_ns)
