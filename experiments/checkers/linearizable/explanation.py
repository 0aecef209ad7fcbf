"""Why an operation can't be ordered, in words: the operation, and the few that stand in its way."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from actors.history import Operation
from actors.message import NodeId
from experiments.checkers.linearizable.models import UNSEEN, KeyValue, Model, change_of
from experiments.checkers.linearizable.models.key_value import Absent
from experiments.checkers.linearizable.objects import ObjectHistory, Placed

WINDOW = 12  # operations shown at most
SHOWN = 60  # characters of a value
ASKING = ("read", "dequeue", "pop", "txn")  # functions whose answer tells more than what they were given


class Naming(NamedTuple):
    """How sentences call operations: by client node, function, place in the history, process and time."""

    name: Callable[[NodeId], str] | None = None
    timed: bool = True  # whether times are ns; else they count events

    def short(self, operation: Placed) -> str:
        """For example: "c2's read 17"."""
        owner = "" if self.name is None else f"{self.name(operation.node)}'s "
        return f"{owner}{operation.asked} {operation.place}"

    def long(self, operation: Placed) -> str:
        """With process and time: "c2's read 17 (process 4, 12.301-12.345 s)"."""
        return f"{self.short(operation)} (process {operation.process}, {self.when(operation)})"

    def when(self, operation: Operation) -> str:
        """The interval in seconds, or in events where the history tells no times."""
        if self.timed:
            return span(operation)
        end = operation.return_ns
        return (
            f"from event {operation.invoke_ns}, never answered"
            if end is None
            else (f"events {operation.invoke_ns}-{end}")
        )


def span(operation: Operation) -> str:
    """The interval, with as many digits as tell its ends apart."""
    start, end = operation.invoke_ns, operation.return_ns
    if end is None:
        return f"from {start / 1e9:.3f} s, never answered"
    digits = next((digits for digits in (3, 6) if end - start >= 10 ** (10 - digits)), 9)
    return f"{start / 1e9:.{digits}f}-{end / 1e9:.{digits}f} s"


def facts_of(operation: Placed, naming: Naming) -> dict[str, Any]:
    """An operation as plain values, for programs."""
    return {
        "operation": operation.place,
        "name": naming.short(operation),
        "process": operation.process,
        "function": operation.asked,
        "value": plain(operation.given),
        "outcome": operation.outcome,
        "result": plain(operation.result),
        "invoke_ns": operation.invoke_ns,
        "return_ns": operation.return_ns,
    }


def plain(value: Any) -> Any:
    """A value for programs; None for what nobody saw."""
    return None if value is UNSEEN else value


def precedes(first: Placed, second: Placed, history: ObjectHistory) -> bool:
    """Whether one certainly ended before the other began (Herlihy and Wing's order, clocks within the bound).

    Within a process the history's own order counts where times are the same.
    """
    if first.return_ns is None or first is second:
        return False
    if first.return_ns + history.bound_ns < second.invoke_ns - history.bound_ns:
        return True
    if first.process != second.process or first.return_ns > second.invoke_ns:
        return False
    return first.invoke_ns < second.invoke_ns or first.place < second.place


def window(history: ObjectHistory, stuck: Placed) -> list[Placed]:
    """The failing window: what ran beside `stuck`, and the last that it had to follow.

    Those that returned before it can be ordered without it. Order of invocation; `stuck` is always among them.
    """
    everything = (*history.definite, *history.unknown)
    others = [one for one in everything if one is not stuck and not precedes(stuck, one, history)]
    before = [one for one in others if precedes(one, stuck, history)]
    latest_ns = max((one.invoke_ns for one in before), default=0)
    last = [one for one in before if one.return_ns is not None and one.return_ns >= latest_ns]
    beside = [one for one in others if not precedes(one, stuck, history)]
    beside.sort(key=lambda one: (one.return_ns is None, abs(one.invoke_ns - stuck.invoke_ns)))
    last.sort(key=lambda one: -(one.return_ns or 0))
    kept = [stuck, *last[: WINDOW // 2]]
    kept += beside[: WINDOW - len(kept)]
    return sorted(kept, key=lambda one: one.invoke_ns)


def explain(history: ObjectHistory, stuck: Placed, naming: Naming, model: Model) -> str:
    """One sentence that names the operations which can't be ordered; `history` is the shortest failing prefix."""
    opening = f"{history.key}: " if history.key else ""
    opening += f"{naming.long(stuck)} {answered(stuck)}"
    found, why = found_by(stuck), None
    if isinstance(model, KeyValue) and found is not Absent.ABSENT and found is not UNSEEN:
        why = _lost_append(history, stuck, found, naming)
        why = why or _never_or_stale(history, stuck, naming, model.reads_at_first)
    if why is None:
        beside = [one for one in window(history, stuck) if one is not stuck]
        why = "which no order allows" + (f", together with {_list(beside, naming)}" if beside else "")
    return f"{opening}, {why}"


def answered(operation: Placed) -> str:
    """What the operation was told, in words."""
    if operation.outcome == "fail":
        return f"failed and found {show(operation.result)}"
    if operation.function == "cas":
        expected, new = change_of(operation)
        return f"changed {show(expected)} to {show(new)}"
    if operation.function in ASKING or operation.function == "acquire":
        return f"returned {show(operation.result)}"
    if operation.given is None:
        return "was acknowledged"
    return f"of {show(operation.given)} was acknowledged"


def found_by(operation: Placed) -> Any:
    """The value that an operation met, Absent.ABSENT if it tells of none."""
    if operation.outcome == "fail" or (operation.function == "read" and operation.outcome == "ok"):
        return operation.result
    if operation.function == "cas" and operation.outcome == "ok":
        return change_of(operation)[0]
    return Absent.ABSENT


def left_by(operation: Placed) -> Any:
    """The value that stands after an operation, as far as it alone tells; Absent.ABSENT if it does not."""
    if operation.outcome != "fail" and operation.function == "write":
        return operation.value
    if operation.outcome != "fail" and operation.function == "cas":
        return change_of(operation)[1]
    if operation.function == "delete":
        return None
    if operation.function == "append" and operation.outcome != "fail":
        return Absent.ABSENT
    return found_by(operation)


def _never_or_stale(history: ObjectHistory, stuck: Placed, naming: Naming, start: Any) -> str | None:
    """A value that nothing had written by then, or nothing again after something else had stood there."""
    everything, found = (*history.definite, *history.unknown), found_by(stuck)
    appended = any(one.function == "append" for one in everything)
    if isinstance(found, tuple) or (appended and (found is None or isinstance(found, str))):
        return None
    changes = [one for one in everything if one.function in ("write", "cas", "delete") and one.outcome != "fail"]
    writers = [one for one in changes if left_by(one) == found and one is not stuck]
    if not writers and found != start:
        return f"but no operation that had begun by then wrote {show(found)}"
    for other in sorted(history.definite, key=lambda one: -(one.return_ns or 0)):
        left = left_by(other)
        if left == found or left is UNSEEN or (left is Absent.ABSENT and other.function != "append"):
            continue
        apart = precedes(other, stuck, history)
        if apart and all(_settled(writer, other, history, found, writers) for writer in writers):
            return f"but {_noun(other, naming)} had ended before and nothing wrote {show(found)} after it"
    return None


def _settled(writer: Placed, other: Placed, history: ObjectHistory, found: Any, writers: list[Placed]) -> bool:
    """Whether a writer certainly took effect before `other`: it had ended, or its value had been found already."""
    if precedes(writer, other, history):
        return True
    return len(writers) == 1 and any(
        found_by(one) == found and precedes(one, other, history) for one in history.definite
    )


def _lost_append(history: ObjectHistory, stuck: Placed, found: Any, naming: Naming) -> str | None:
    """A list without an item that had been appended, or with one that nothing appended; lists that only grow."""
    everything = (*history.definite, *history.unknown)
    if any(one.function in ("write", "cas", "delete") for one in everything) or not isinstance(found, tuple | None):
        return None
    items = found or ()
    for one in reversed(history.definite):
        if not precedes(one, stuck, history):
            continue
        if one.function == "append" and one.outcome == "ok" and one.value not in items:
            return f"but {_noun(one, naming)} had ended before and {show(one.value)} is not in it"
        former = found_by(one)
        if isinstance(former, tuple) and former != items[: len(former)]:
            return f"but {naming.long(one)} had ended before with {show(former)}, which it does not begin with"
    appended = {one.value for one in everything if one.function == "append"}
    for item in items:
        if item not in appended:
            return f"but nothing ever appended {show(item)}"
    return None


def _noun(operation: Placed, naming: Naming) -> str:
    """The operation with its value: "c1's write 15 of 7 (process 2, ...)"."""
    words = f"{naming.short(operation)} "
    if operation.outcome == "fail":
        words += f"that found {show(operation.result)} "
    elif operation.function == "cas":
        expected, new = change_of(operation)
        words += f"from {show(expected)} to {show(new)} "
    elif operation.function in ASKING:
        words += f"of {show(operation.result)} "
    elif operation.given is not None:
        words += f"of {show(operation.given)} "
    return f"{words}(process {operation.process}, {naming.when(operation)})"


def _list(operations: Iterable[Placed], naming: Naming) -> str:
    return ", ".join(_noun(one, naming) if one.outcome != "info" else _unknown(one, naming) for one in operations)


def _unknown(operation: Placed, naming: Naming) -> str:
    of = "" if operation.given is None else f" of {show(operation.given)}"
    return f"{naming.short(operation)}{of} ({naming.when(operation)})"


def show(value: Any) -> str:
    """A value in a sentence: as JSON would have it, long ones cut in the middle."""
    if value is UNSEEN:
        text = "another value than it expected"
    elif value is None:
        text = "nothing"
    elif isinstance(value, tuple):
        text = "[" + ", ".join(show(item) for item in value) + "]"
    else:
        text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 :]}"
