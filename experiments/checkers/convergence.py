"""Once nobody writes any more, everybody reads the same."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.verdict import Verdict

READS = ("read", "get")


def convergence(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """The last reads of a key by each process, begun after the last write had ended, agree.

    Sound and complete for that property; whether replicas converge of which nobody reads can't be told. A key with
    writes that were never answered, or with fewer than two processes that read it at the end, is left out; if that is
    so for all, the verdict is unknown. Lists are compared as they are.
    """
    by_key: dict[str, list[tuple[int, Operation]]] = defaultdict(list)
    for place, one in enumerate(history):
        by_key[one.key].append((place, one))
    apart, judged = [], 0
    for key, operations in by_key.items():
        last = _last_reads(operations)
        if len(last) < 2:
            continue
        judged += 1
        (place, one), *others = last
        different = next(((at, other) for at, other in others if other.result != one.result), None)
        if different is not None:
            at, other = different
            what = f"{named(one, place)} ends with {one.result!r}, {named(other, at)} with {other.result!r}"
            apart.append({"key": key, "operations": [place, at], "what": f"{key}: {what}" if key else what})
    unknown = "" if judged else "no key was read by two processes after its last write had ended"
    return verdict_of({"diverged": apart}, checked=judged, method="last reads", unknown=unknown, keys=len(by_key))


def _last_reads(operations: Sequence[tuple[int, Operation]]) -> list[tuple[int, Operation]]:
    """The last read of each process that began after all writes; none if a write may still act."""
    writes = [one for _, one in operations if one.function not in READS and one.outcome != "fail"]
    if any(one.return_ns is None or one.outcome == "info" for one in writes):
        return []
    quiet_ns = max((one.return_ns or 0 for one in writes), default=-1)
    last: dict[int, tuple[int, Operation]] = {}
    for place, one in operations:
        if one.function in READS and one.outcome == "ok" and one.invoke_ns > quiet_ns:
            last[one.process] = (place, one)
    return list(last.values())
