"""Is a history linearizable? Split by key, decide each by the method that suits it, say what can't be ordered."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from actors.history import Operation
from actors.message import NodeId
from experiments.checkers.columns import OK, Columns, columns_of
from experiments.checkers.linearizable.explanation import Naming, explain, facts_of, window
from experiments.checkers.linearizable.judging import Judged, judge_objects
from experiments.checkers.linearizable.models import KeyValue, Model, UnusableModel, model_named
from experiments.checkers.linearizable.objects import ObjectHistory, Placed, object_history, rows_by_key
from experiments.checkers.linearizable.prefix import shortest_failing_prefix, shortest_prefix_that_clashes
from experiments.checkers.linearizable.search import Limits, return_ns
from experiments.checkers.linearizable.zones import Zones, zones
from experiments.checkers.picture import text_picture
from experiments.checkers.verdict import Verdict

TIMEOUT_S = 60.0
CONFIGURATIONS = 2_000_000  # a key; about 250 bytes each
ANOMALIES_LISTED = 10
EXPLAINING_S = 10.0  # for the shortest failing prefix of a key
SEARCH = "Wing-Gong search with Lowe's memoisation, just in time, key by key"
ZONES = "zones of unique writes (Gibbons and Korach)"
NOTHING_TESTED = "no operation has a known outcome, so nothing was tested"


class Anomaly(NamedTuple):
    """A key that is not linearizable, and its facts for programs, `explanation` among them."""

    key: str
    found_ns: int  # when the operation that shows it returned
    facts: dict[str, Any]


def linearizable(
    history: Sequence[Operation],
    *,
    model: str | Model = "kv",
    timeout_s: float = TIMEOUT_S,
    clock_bound_ns: int = 0,
    configurations: int = CONFIGURATIONS,
    name: Callable[[NodeId], str] | None = None,
    called: str | None = None,
) -> Verdict:
    """Whether all operations can be put in an order that respects real time and that the model allows.

    Linearizability (Herlihy and Wing, TOPLAS 12(3), 1990) is local: the history is linearizable iff that of each key
    is. Operations of one process are ordered; others only if one's interval ended before the other's began, each
    widened by the clock bound on both sides. An info may take effect at any later time or never; a fail is
    left out, unless it is an answer of the state (`answered` in `actors.errors`), which is held against the model.

    Keys that are only read and written, each value once, are decided by their zones in O(n log n); others by search.

    Sound: an invalid history has no such order under any clocks within the bound. Complete if the bound is 0: a
    valid one has an order; else what only differs within the bound is let pass. Limits give unknown.

    Args:
        history: operations in order of invocation.
        model: a name in MODELS, `path/to/file.py:ClassName`, or a model.
        timeout_s: for all keys together; what a quick key leaves over goes to the others.
        clock_bound_ns: how far a host's clock may be off the common time.
        configurations: how many the search may hold at once, which bounds its memory.
        name: client node -> its name in sentences.
        called: what sentences call the model, if it has no name.

    Returns: invalid with the operations that can't be ordered; unknown if a limit was met or nothing has an outcome.
    Raises: ValueError if there is no such model, or it does not understand an operation.
    """
    rules = model_named(model) if isinstance(model, str) else model
    columns, deadline_s = columns_of(history), time.monotonic() + timeout_s
    _check_functions(rules, columns, called or (model if isinstance(model, str) else type(rules).__name__))
    naming = Naming(name, columns.timed)
    by_zones = zones_of(columns, rules, clock_bound_ns)
    objects = searched(columns, rules, by_zones, clock_bound_ns)
    if not (columns.outcome == OK).any() and not any(one.definite for one in objects):
        return Verdict(valid="unknown", checked=0, reason=NOTHING_TESTED)
    judged = judge_objects(objects, rules, Limits(deadline_s, configurations))
    limits = Limits(time.monotonic() + EXPLAINING_S, configurations)
    broken = [one for one in judged if one.finding.linearizable is False]
    failing = [shortest_failing_prefix(one.history, rules, limits, one.finding.furthest_ns) for one in broken]
    failing += [
        shortest_prefix_that_clashes(columns, clash.key, rules, clock_bound_ns, limits) for clash in by_zones.clashes
    ]
    anomalies = [_anomaly(prefix, stuck, rules, naming) for prefix, stuck in failing]
    anomalies.sort(key=lambda anomaly: anomaly.found_ns)
    return _verdict(columns, by_zones, judged, anomalies, clock_bound_ns)


def _check_functions(model: Model, history: Columns, named: str) -> None:
    """Raises UnusableModel for the first operation that the model has no word for."""
    unknown = [code for code, function in enumerate(history.functions) if not model.known(function)]
    rows = np.flatnonzero(np.isin(history.function, unknown))
    if len(rows):
        row, known = int(rows[0]), ", ".join(model.functions)
        function = history.functions[history.function[row]]
        raise UnusableModel(f"operation {row}: model {named} knows {known}, but no {function!r}")


def zones_of(history: Columns, model: Model, bound_ns: int) -> Zones:
    """What zones can decide: keys of a store or register."""
    if not isinstance(model, KeyValue):
        return Zones(frozenset(), [], frozenset())
    return zones(history, initial=model.reads_at_first, bound_ns=bound_ns)


def searched(history: Columns, model: Model, by_zones: Zones, bound_ns: int) -> list[ObjectHistory]:
    """The objects that zones did not decide."""
    names = {history.keys[code] for code in by_zones.decided}
    found = []
    for key, rows in rows_by_key(history, together=model.together):
        if model.together or key not in names:
            operations = zip(rows.tolist(), history.take(rows), strict=True)
            found.append(object_history(key, operations, model, bound_ns))
    return found


def _anomaly(prefix: ObjectHistory, stuck: Placed, model: Model, naming: Naming) -> Anomaly:
    shown = [facts_of(operation, naming) for operation in window(prefix, stuck)]
    facts = {
        "key": prefix.key,
        "explanation": explain(prefix, stuck, naming, model),
        "operation": facts_of(stuck, naming),
        "window": shown,
        "picture": text_picture(shown, stuck.place),
    }
    return Anomaly(prefix.key, return_ns(stuck), facts)


def _verdict(
    columns: Columns, by_zones: Zones, judged: list[Judged], anomalies: list[Anomaly], bound_ns: int
) -> Verdict:
    undecided = {one.history.key: one.finding.reason for one in judged if one.finding.linearizable is None}
    keys = len(by_zones.decided) + len(judged)
    evidence: dict[str, Any] = {
        "keys": keys,
        "configurations": sum(one.finding.configurations for one in judged),
        "clock_bound_ns": bound_ns,
    }
    reason = ""
    if undecided:
        evidence["undecided"] = undecided
        key, why = next(iter(undecided.items()))
        reason = f"{len(undecided)} of {keys} keys were not decided; {key}: {why}"
    if anomalies:
        evidence["invalid_keys"] = sorted(anomaly.key for anomaly in anomalies)
        evidence["anomalies"] = [anomaly.facts for anomaly in anomalies[:ANOMALIES_LISTED]]
        reason = evidence["anomalies"][0]["explanation"]
    widened = f"; intervals widened by {bound_ns / 1e6:g} ms on both sides" if bound_ns else ""
    return Verdict(
        valid=False if anomalies else "unknown" if undecided else True,
        checked=len(columns),
        method=_method(len(by_zones.decided), len(judged)) + widened,
        reason=reason,
        evidence=evidence,
    )


def _method(zoned: int, searched: int) -> str:
    """Which algorithm ran; on how many keys, where both did."""
    if zoned and searched:
        return f"{ZONES} on {zoned} keys, {SEARCH} on {searched}"
    return ZONES if zoned else SEARCH
