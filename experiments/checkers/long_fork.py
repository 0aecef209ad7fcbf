"""Long forks: two readers who see two writes in different orders, which parallel snapshot isolation allows.

Source: Sovran, Power, Aguilera and Li, "Transactional storage for geo-replicated systems", SOSP 2011.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.linearizable.models.registers import micro_operations
from experiments.checkers.verdict import Verdict

READS, WRITES = ("r", "read"), ("w", "write")
FUNCTIONS = ("txn", "read", "write")


def long_fork(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """Of any two reads of the same keys, each written once, one has seen all that the other has.

    Sound and complete for reads of the same set of keys; a key written twice gives unknown. Values are
    micro-operations [f, key, value].
    """
    written: Counter[Any] = Counter()
    groups: dict[frozenset[Any], list[tuple[int, Operation, frozenset[Any]]]] = defaultdict(list)
    for place, one in enumerate(history):
        steps = list(steps_of(one))
        written.update(key for kind, key, _ in steps if kind in WRITES and one.outcome != "fail")
        reads = {key: value for kind, key, value in steps if kind in READS}
        if one.outcome == "ok" and len(reads) > 1:
            seen = frozenset(key for key, value in reads.items() if value is not None)
            groups[frozenset(reads)].append((place, one, seen))
    forks = [case for group in groups.values() for case in _forks(group)]
    twice = [key for key, count in written.items() if count > 1]
    unknown = "" if groups else "nobody read several keys at once"
    unknown = f"{len(twice)} keys were written more than once, {twice[0]!r} first" if twice else unknown
    checked = sum(map(len, groups.values()))
    method = "reads of the same keys, by what they saw"
    return verdict_of({"long-fork": forks}, checked=checked, method=method, unknown=unknown, keys=len(written))


def steps_of(one: Operation) -> Sequence[tuple[str, Any, Any]]:
    """The micro-operations of an operation; none where its value holds none."""
    value: Any = one.result if one.outcome == "ok" and one.result is not None else one.value
    if one.function not in FUNCTIONS or not isinstance(value, tuple):
        return ()
    if not all(isinstance(step, tuple) and len(step) in (2, 3) for step in value):
        return ()
    if any(len(step) == 3 for step in value):
        return list(micro_operations("txn", tuple(step for step in value if len(step) == 3)))
    return list(micro_operations(one.function, value)) if one.function != "txn" else ()


def _forks(reads: list[tuple[int, Operation, frozenset[Any]]]) -> list[dict[str, Any]]:
    """Sets form a chain iff each, by size, holds the one before."""
    ordered = sorted(reads, key=lambda read: (len(read[2]), read[0]))
    cases = []
    for (place, one, seen), (other_place, other, more) in pairwise(ordered):
        if not seen <= more:
            mine, theirs = sorted(seen - more, key=repr)[0], sorted(more - seen, key=repr)
            what = f"{named(one, place)} saw {mine!r} but not {theirs[0]!r}"
            what += f", {named(other, other_place)} the other way round"
            cases.append({"operations": sorted((place, other_place)), "what": what})
    return cases
