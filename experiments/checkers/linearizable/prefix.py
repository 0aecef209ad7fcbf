"""How far a history that is not linearizable can be ordered."""

from collections.abc import Sequence

from actors.history import Operation
from experiments.checkers.linearizable.foresight import ObjectHistory
from experiments.checkers.linearizable.models import Model
from experiments.checkers.linearizable.search import Limits, return_ns, search


def shortest_failing_prefix(history: ObjectHistory, model: Model, limits: Limits) -> tuple[ObjectHistory, Operation]:
    """The shortest prefix, in time, of a history that is not linearizable. What was open at its end is unknown.

    Prefixes of a linearizable history are linearizable, so the end is found by bisection.

    Returns: the prefix, and the last operation to return in it: all that returned before can be ordered, but not
        this one as well. Where a limit is met, the shortest prefix that is known to fail.
    """
    by_return = sorted(history.definite, key=return_ns)
    good, bad = 0, len(by_return)  # operations that have returned
    while bad - good > 1:
        middle = (good + bad) // 2
        finding = search(_prefix(history, by_return, middle), model, limits)
        if finding.linearizable is None:
            break
        good, bad = (middle, bad) if finding.linearizable else (good, middle)
    return _prefix(history, by_return, bad), by_return[bad - 1]


def _prefix(history: ObjectHistory, by_return: Sequence[Operation], length: int) -> ObjectHistory:
    """The history up to the return of the length-th operation to return."""
    end_ns = return_ns(by_return[length - 1]) + 2 * history.bound_ns
    done = sorted(by_return[:length], key=lambda operation: operation.invoke_ns)
    still_open = [operation for operation in by_return[length:] if operation.outcome == "ok"]
    begun = [operation for operation in (*history.unknown, *still_open) if operation.invoke_ns <= end_ns]
    return history._replace(definite=done, unknown=begun)
