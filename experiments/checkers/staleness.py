"""How stale reads were, by time and by versions.

Sources: Golab, Li and Shah, "Analyzing consistency properties for fun and profit", PODC 2011 (Δ-atomicity); Bailis,
Venkataraman, Franklin, Hellerstein and Stoica, "Probabilistically bounded staleness for practical partial quorums",
VLDB 2012 (k-staleness, t-visibility).
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.sessions import why_unknown
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import Step, accesses

QUANTILES = (0.5, 0.9, 0.99, 0.999)


class Stale(NamedTuple):
    """How far one read lay back at least."""

    read: Step
    age_ns: int  # since when a newer version had been there for certain, when the read began; 0: not stale
    versions: int  # newer ones that had certainly been written before it began


def staleness(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """Whether any read returned less than the last version that had certainly been written before it began.

    A version is newer than another if its write began after the other's had ended; what overlaps may be either. So both
    figures are the least that can be: a read `k` versions and `t` ns behind can't have been fresher, but may have
    been staler. Sound in that sense; complete but for what overlaps. Keys whose values are not unique give unknown.

    Returns: invalid if any read was stale, with the distribution over all reads in evidence (`age_ms`, `versions`).
    """
    told = accesses(history, initial=initial)
    measured = measure(told.steps)
    stale = sorted((one for one in measured if one.versions), key=lambda one: -one.age_ns)
    cases = [
        {
            "operation": one.read.place,
            "age_ms": one.age_ns / 1e6,
            "versions": one.versions,
            "what": f"{named(history[one.read.place], one.read.place)} returned {one.read.version[1]!r}, "
            f"{one.versions} versions and {one.age_ns / 1e6:.3f} ms behind",
        }
        for one in stale
    ]
    return verdict_of(
        {"stale": cases},
        checked=len(measured),
        method="least age and least number of newer versions, read by read",
        unknown=why_unknown(told, bool(measured), "nobody read anything"),
        keys=len({step.version[0] for step in told.steps}),
        stale_share=len(stale) / len(measured) if measured else 0.0,
        age_ms=quantiles([one.age_ns / 1e6 for one in measured]),
        versions=quantiles([one.versions for one in measured]),
    )


def measure(steps: Sequence[Step]) -> list[Stale]:
    """The staleness of every read, in order of invocation within each key. O(n log n) but for moving list items."""
    by_key: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        by_key[step.version[0]].append(step)
    return [one for key in by_key for one in _of_key(by_key[key])]


def _of_key(steps: list[Step]) -> list[Stale]:
    writes = [step for step in steps if step.writes]
    ended = sorted((step.return_ns, step.invoke_ns) for step in writes if step.return_ns is not None)
    writer = {step.version: step for step in writes}
    known: list[int] = []  # invocations of the writes that have returned, in order
    found, done = [], 0
    for read in sorted((step for step in steps if not step.writes), key=lambda step: step.invoke_ns):
        while done < len(ended) and ended[done][0] < read.invoke_ns:
            insort(known, ended[done][1])
            done += 1
        since_ns = _settled_ns(writer.get(read.version), read)
        behind = len(known) - bisect_right(known, since_ns)
        age_ns = read.invoke_ns - _first_return(ended, since_ns) if behind else 0
        found.append(Stale(read, age_ns, behind))
    return found


def _settled_ns(write: Step | None, read: Step) -> int:
    """When the version that was read had been written: what was called after that is newer."""
    if write is None:
        return -(1 << 62)
    return read.invoke_ns if write.return_ns is None else write.return_ns


def _first_return(ended: Sequence[tuple[int | None, int]], since_ns: int) -> int:
    """The least return of a write that was called after a moment."""
    for end_ns, invoke_ns in ended[bisect_left(ended, (since_ns, -(1 << 62))) :]:
        if invoke_ns > since_ns:
            assert end_ns is not None
            return end_ns
    raise AssertionError("a read is behind only if there is one")


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p90, p99, p99.9 and max of a distribution; empty if it is."""
    if not values:
        return {}
    ordered = sorted(values)
    found = {f"p{share * 100:g}": ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in QUANTILES}
    return found | {"max": ordered[-1]}
