"""What the checkers of invariants share: anomalies by kind, and the verdict that follows from them."""

from collections.abc import Mapping, Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.verdict import Verdict

LISTED = 20  # of each kind


def verdict_of(
    anomalies: Mapping[str, Sequence[Any]],
    *,
    checked: int,
    method: str,
    unknown: str = "",
    harmless: Sequence[str] = (),
    **evidence: Any,
) -> Verdict:
    """Invalid if there is an anomaly of any kind that is not harmless; else unknown if a reason for that is given.

    Args:
        anomalies: kind -> cases; a case that is a mapping tells itself in words under `what`.
        unknown: why nothing, or not everything, was tested.
        harmless: kinds that are told but condemn nothing.
    """
    found = {kind: list(cases[:LISTED]) for kind, cases in anomalies.items() if cases}
    counts = {kind: len(cases) for kind, cases in anomalies.items() if cases}
    broken = [kind for kind in found if kind not in harmless]
    reason = "; ".join(f"{kind.replace('-', ' ')}: {_words(found[kind][0])}{_more(counts[kind])}" for kind in broken)
    return Verdict(
        valid=False if broken else "unknown" if unknown else True,
        checked=checked,
        method=method,
        reason=reason or unknown,
        evidence={**evidence, "anomalies": found, "counts": counts},
    )


def _words(case: Any) -> str:
    return str(case["what"]) if isinstance(case, Mapping) and "what" in case else str(case)


def _more(count: int) -> str:
    return f" (and {count - 1:,} more)" if count > 1 else ""


def named(operation: Operation, place: int) -> str:
    """An operation in a sentence: "read 17 of process 4"."""
    return f"{operation.function} {place} of process {operation.process}"
