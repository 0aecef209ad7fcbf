"""Elements that were added: whether the last read has them all, and how long each took to be seen."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.staleness import quantiles
from experiments.checkers.verdict import Verdict

KINDS = ("lost", "stale", "never-read", "recovered", "unexpected", "duplicated")
ADDS, READS = ("add", "insert", "append"), ("read", "get")


def final_set(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """The last read has every element that was added for certain before it, and none that nobody tried to add.

    Sound and complete for the last read that was answered (the one that began last). Elements whose add was never
    answered count as `recovered` if they are there. (Jepsen's set checker.)
    """
    reads = _reads(history)
    if not reads:
        return verdict_of({}, checked=0, method="the last read", unknown="nobody read the set", keys=1)
    place, last = max(reads, key=lambda pair: (pair[1].invoke_ns, pair[0]))
    items: Any = last.result or ()
    read = Counter(items)
    adds = [one for one in history if one.function in ADDS]
    attempted = {one.value for one in adds} | set(initial or ())
    certain = [one.value for one in adds if one.outcome == "ok" and (one.return_ns or 0) < last.invoke_ns]
    open_ = dict.fromkeys(one.value for one in adds if one.outcome == "info")
    lost = [item for item in certain if item not in read]
    unexpected = [item for item in read if item not in attempted]
    found = {
        "lost": [_case(item, f"{item!r} was added, but read {place} does not have it") for item in lost],
        "unexpected": [_case(item, f"read {place} has {item!r}, which nobody added") for item in unexpected],
        "duplicated": [_case(item, f"read {place} has {item!r} {n} times") for item, n in read.items() if n > 1],
        "recovered": [_case(item, f"{item!r} was added after all") for item in open_ if item in read],
    }
    method = f"the last read ({place})"
    return verdict_of(found, checked=len(adds), method=method, harmless=("recovered",), keys=1)


def set_full(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """No element is lost once it is known: from the answer to its add, or the first read that has it, on.

    An element is `lost` if the last read that began after it was known lacks it, `stale` if an earlier one did and a
    later one has it again, `never-read` if no read began after it was known, `recovered` if its add was never
    answered and a read has it. Lost, unexpected and duplicated ones condemn the history; stale ones are told with how
    long they were missed. Sound and complete in that sense. (Jepsen's set-full checker.)
    """
    reads = sorted(_reads(history), key=lambda pair: (pair[1].invoke_ns, pair[0]))
    adds = [one for one in history if one.function in ADDS]
    attempted = {one.value for one in adds} | set(initial or ())
    found: dict[str, list[Any]] = {
        kind: [] for kind in ("lost", "stale", "never-read", "recovered", "unexpected", "duplicated")
    }
    seen_ns: dict[Any, int] = {}
    for place, one in reads:
        items: Any = one.result or ()
        for item, count in Counter(items).items():
            seen_ns[item] = min(seen_ns.get(item, 1 << 63), one.return_ns or 0)
            if count > 1:
                found["duplicated"].append(_case(item, f"read {place} has {item!r} {count} times"))
            if item not in attempted:
                found["unexpected"].append(_case(item, f"read {place} has {item!r}, which nobody added"))
    known_ns = _known(adds, seen_ns)
    latencies = _follow(known_ns, reads, found)
    found["recovered"] = [
        _case(one.value, f"{one.value!r} was read, though its add was never answered")
        for one in adds
        if one.outcome == "info" and one.value in seen_ns
    ]
    tested = len(known_ns) > len(found["never-read"])
    unknown = "" if tested else "no element was read after it was known"
    return verdict_of(
        found,
        checked=len(adds),
        method="each element from when it was known",
        unknown=unknown,
        harmless=("stale", "never-read", "recovered"),
        keys=1,
        stale_ms=quantiles(latencies),
    )


def _reads(history: Sequence[Operation]) -> list[tuple[int, Operation]]:
    return [
        (place, one)
        for place, one in enumerate(history)
        if one.function in READS and one.outcome == "ok" and isinstance(one.result, tuple | None)
    ]


def _known(adds: Sequence[Operation], seen_ns: dict[Any, int]) -> dict[Any, int]:
    """When each element was known to be there: the first answer that says so."""
    known = {}
    for one in adds:
        times = [seen_ns[one.value]] if one.value in seen_ns else []
        if one.outcome == "ok" and one.return_ns is not None:
            times.append(one.return_ns)
        if times:
            known[one.value] = min(times)
    return known


def _follow(
    known_ns: dict[Any, int], reads: Sequence[tuple[int, Operation]], found: dict[str, list[Any]]
) -> list[float]:
    """Sort elements into lost, stale and never read. Returns: for how many ms each stale one was missed."""
    waiting = sorted(known_ns, key=lambda item: known_ns[item], reverse=True)
    missed: dict[Any, tuple[int, Operation]] = {}  # by the last read that could have had it
    missing: dict[Any, int] = {}  # element -> until when it was missed
    judged: set[Any] = set()
    for place, read in reads:
        while waiting and known_ns[waiting[-1]] < read.invoke_ns:
            judged.add(waiting.pop())
        there = set(read.result or ())  # type: ignore[arg-type]
        for item in judged - there:
            missed[item] = (place, read)
            missing[item] = read.invoke_ns
        for item in [item for item in missed if item in there]:
            del missed[item]
    for item, (place, _) in sorted(missed.items(), key=lambda pair: repr(pair[0])):
        found["lost"].append(_case(item, f"{item!r} was known, but read {place} and all after it lack it"))
    stale = {item: until_ns - known_ns[item] for item, until_ns in missing.items() if item not in missed}
    for item, age_ns in sorted(stale.items(), key=lambda pair: -pair[1]):
        found["stale"].append(_case(item, f"{item!r} was missed for {age_ns / 1e6:.3f} ms after it was known"))
    found["never-read"] = [_case(item, f"no read began after {item!r} was known") for item in reversed(waiting)]
    return [age_ns / 1e6 for age_ns in stale.values()]


def _case(item: Any, what: str) -> dict[str, Any]:
    return {"element": item, "what": what}
