"""Identifiers that were given out: none twice."""

from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.verdict import Verdict


def unique_ids(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """No two operations were answered with the same identifier, whatever their function. Sound and complete."""
    first: dict[Any, int] = {}
    twice = []
    answered = [(place, one) for place, one in enumerate(history) if one.outcome == "ok" and one.result is not None]
    for place, one in answered:
        other = first.setdefault(one.result, place)
        if other != place:
            what = f"operations {other} and {place} were both given {one.result!r}"
            twice.append({"operations": [other, place], "id": one.result, "what": what})
    unknown = "" if answered else "no identifier was given out"
    return verdict_of({"duplicated": twice}, checked=len(answered), method="count of each", unknown=unknown, keys=1)
