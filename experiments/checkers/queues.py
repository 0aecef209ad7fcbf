"""A queue: nothing is lost, delivered twice, delivered out of order or made up."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.verdict import Verdict

ENQUEUES, DEQUEUES, DRAINS = ("enqueue", "push", "send", "put"), ("dequeue", "pop", "poll", "take"), ("drain",)


def queue(history: Sequence[Operation], *, ordered: bool = True, initial: Any = None) -> Verdict:
    """Each element that was enqueued for certain comes out once, and before those that were enqueued after it.

    `lost`: it never came out, though the queue was later seen empty (a dequeue that found nothing, or a drain, began
    after its enqueue had ended and no dequeue of unknown outcome may have taken it). `duplicated`: it came out more
    often than anybody tried to put it in. `phantom`: nobody did. `out-of-order`: it was enqueued wholly before another,
    and came out wholly after it. `left`: it did not come out, and nobody saw the queue empty.

    Sound. Not complete for linearizability: `fifo-queue` is; complete for the four properties as they stand, but for
    `out-of-order`, of which one case is told for each element.
    """
    by_key: dict[str, list[tuple[int, Operation]]] = defaultdict(list)
    for place, one in enumerate(history):
        by_key[one.key].append((place, one))
    found: dict[str, list[Any]] = {kind: [] for kind in ("lost", "duplicated", "phantom", "out-of-order", "left")}
    for key in by_key:
        _judge(by_key[key], found, ordered, tuple(initial or ()))
    checked = sum(1 for one in history if one.function in ENQUEUES)
    unknown = "" if any(one.outcome == "ok" for one in history) else "no operation has a known outcome"
    method = "counts of elements, and their order" if ordered else "counts of elements"
    return verdict_of(found, checked=checked, method=method, unknown=unknown, harmless=("left",), keys=len(by_key))


def _judge(operations: list[tuple[int, Operation]], found: dict[str, list[Any]], ordered: bool, initial: Any) -> None:
    tried = Counter([one.value for _, one in operations if one.function in ENQUEUES and one.outcome != "fail"])
    tried.update(initial)
    out = [(place, one, item) for place, one in operations for item in taken(one)]
    came = Counter(item for _, _, item in out)
    for item, count in came.items():
        if not tried[item]:
            found["phantom"].append(_case(item, f"{item!r} came out, but nobody put it in"))
        elif count > tried[item]:
            found["duplicated"].append(_case(item, f"{item!r} came out {count} times, put in {tried[item]} times"))
    empty_ns = max((one.invoke_ns for _, one in operations if _saw_empty(one)), default=None)
    perhaps_taken = any(one.function in (*DEQUEUES, *DRAINS) and one.outcome == "info" for _, one in operations)
    for place, one in operations:
        if one.function in ENQUEUES and one.outcome == "ok" and not came[one.value]:
            certain = empty_ns is not None and (one.return_ns or 0) < empty_ns and not perhaps_taken
            what = f"{one.value!r}, put in by {named(one, place)}, never came out"
            found["lost" if certain else "left"].append(_case(one.value, what))
    if ordered:
        found["out-of-order"] += _out_of_order(operations, out, tried, came)


def taken(one: Operation) -> tuple[Any, ...]:
    """What an operation took out."""
    if one.outcome != "ok":
        return ()
    if one.function in DRAINS:
        return one.result if isinstance(one.result, tuple) else ()
    return (one.result,) if one.function in DEQUEUES and one.result is not None else ()


def _saw_empty(one: Operation) -> bool:
    return one.outcome == "ok" and (one.function in DRAINS or (one.function in DEQUEUES and one.result is None))


def _out_of_order(
    operations: list[tuple[int, Operation]],
    out: list[tuple[int, Operation, Any]],
    tried: Counter[Any],
    came: Counter[Any],
) -> list[dict[str, Any]]:
    """Elements that came out wholly after one that was put in wholly after them; for those put in and out once."""
    put = {one.value: one for _, one in operations if one.function in ENQUEUES and one.outcome == "ok"}
    pairs = [
        (put[item], one, place)
        for place, one, item in out
        if one.function in DEQUEUES and item in put and tried[item] == came[item] == 1
    ]
    # In order of the call of their enqueue, from the last: the least return of a dequeue among those put in later.
    pairs.sort(key=lambda pair: pair[0].invoke_ns)
    ends = sorted(pairs, key=lambda pair: pair[0].return_ns or 0)
    cases, best = [], None
    later = len(pairs)
    for enqueue, dequeue, place in reversed(ends):
        while later and pairs[later - 1][0].invoke_ns > (enqueue.return_ns or 0):
            later -= 1
            if best is None or (pairs[later][1].return_ns or 0) < (best[1].return_ns or 0):
                best = pairs[later]
        if best is not None and (best[1].return_ns or 0) < dequeue.invoke_ns:
            what = (
                f"{enqueue.value!r} was put in before {best[0].value!r}, but came out after it "
                f"({named(dequeue, place)}, {named(best[1], best[2])})"
            )
            cases.append(_case(enqueue.value, what))
    return cases[::-1]


def _case(item: Any, what: str) -> dict[str, Any]:
    return {"element": item, "what": what}
