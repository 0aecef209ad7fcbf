"""Is a history linearizable? Split by key, decide each, and say in words what can't be ordered."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from actors.errors import ERRORS
from actors.history import Operation
from actors.message import NodeId
from experiments.checkers.linearizable.explanation import Naming, explain, facts_of, window
from experiments.checkers.linearizable.foresight import ObjectHistory
from experiments.checkers.linearizable.models import MODELS, Model
from experiments.checkers.linearizable.prefix import shortest_failing_prefix
from experiments.checkers.linearizable.search import Finding, Limits, return_ns, search
from experiments.checkers.verdict import Verdict

TIMEOUT_S = 60.0
CONFIGURATIONS = 2_000_000  # a key; about 250 bytes each
ANOMALIES_LISTED = 10
EXPLAINING_S = 10.0  # for the shortest failing prefix of a key
METHOD = "Wing-Gong search with Lowe's memoisation, just in time, key by key"


class Judged(NamedTuple):
    """One key with what was found out about it."""

    history: ObjectHistory
    finding: Finding


class Anomaly(NamedTuple):
    """A key that is not linearizable, up to the first operation that can't be ordered."""

    history: ObjectHistory  # the shortest failing prefix
    stuck: Operation


def linearizable(
    history: Sequence[Operation],
    *,
    model: str = "kv",
    timeout_s: float = TIMEOUT_S,
    clock_bound_ns: int = 0,
    configurations: int = CONFIGURATIONS,
    name: Callable[[NodeId], str] | None = None,
) -> Verdict:
    """Whether all operations can be put in an order that respects real time and that the model allows.

    Linearizability (Herlihy and Wing, TOPLAS 12(3), 1990) is local: the history is linearizable iff that of each key
    is. Operations of one process are ordered; others only if one's interval ended before the other's began, each
    widened by the clock bound on both sides. An info may take effect at any later time or never; a fail is
    left out, unless it is an answer of the state (`answered` in `actors.errors`), which is held against the model.

    Sound: an invalid history has no such order under any clocks within the bound. Complete if the bound is 0: a
    valid one has an order; else what only differs within the bound is let pass. Limits give unknown.

    Args:
        history: operations in order of invocation.
        model: a name in MODELS.
        timeout_s: for all keys together; what a quick key leaves over goes to the others.
        clock_bound_ns: how far a host's clock may be off the common time.
        configurations: how many the search may hold at once, which bounds its memory.
        name: client node -> its name in sentences.

    Returns: invalid with the operations that can't be ordered; unknown if a limit was met or nothing has an outcome.
    Raises: ValueError if there is no such model, or it knows no such function.
    """
    rules = _model(model, history)
    naming = Naming(history, name)
    objects = [one._replace(place=naming.number) for one in split(history, clock_bound_ns)]
    if not any(object_.definite for object_ in objects):
        return Verdict(valid="unknown", checked=0, reason="no operation has a known outcome, so nothing was tested")
    judged = _judge(objects, rules, time.monotonic() + timeout_s, configurations)
    limits = Limits(time.monotonic() + EXPLAINING_S, configurations)
    broken = [one.history for one in judged if one.finding.linearizable is False]
    anomalies = [Anomaly(*shortest_failing_prefix(one, rules, limits)) for one in broken]
    anomalies.sort(key=lambda anomaly: return_ns(anomaly.stuck))
    return _verdict(judged, anomalies, naming, clock_bound_ns)


def _model(model: str, history: Sequence[Operation]) -> Model:
    if model not in MODELS:
        near = get_close_matches(model, MODELS, 1) or sorted(MODELS)
        raise ValueError(f"there is no model {model!r}; did you mean {near[0]!r}?")
    rules = MODELS[model]
    for number, operation in enumerate(history):
        if operation.function not in rules.functions:
            known = ", ".join(rules.functions)
            raise ValueError(f"operation {number}: model {model} knows {known}, but no {operation.function!r}")
    return rules


def split(history: Sequence[Operation], clock_bound_ns: int = 0) -> list[ObjectHistory]:
    """The history of each key, without failures that tell nothing."""
    definite: dict[str, list[Operation]] = defaultdict(list)
    unknown: dict[str, list[Operation]] = defaultdict(list)
    for operation in sorted(history, key=lambda operation: operation.invoke_ns):
        if operation.outcome == "info" or operation.return_ns is None:
            unknown[operation.key].append(operation)
        elif operation.outcome == "ok" or _is_answer(operation):
            definite[operation.key].append(operation)
    return [ObjectHistory(key, definite[key], unknown[key], clock_bound_ns) for key in sorted({*definite, *unknown})]


def _is_answer(operation: Operation) -> bool:
    """Whether a failed operation tells of the state that it met."""
    meaning = ERRORS.get(operation.error or "")
    return operation.outcome == "fail" and meaning is not None and meaning.answered


def _judge(objects: list[ObjectHistory], model: Model, deadline_s: float, configurations: int) -> list[Judged]:
    """Decide each key, short ones first; each may take an equal share of the time that is left."""
    judged = []
    waiting = sorted(objects, key=lambda object_: len(object_.definite))
    for done, object_ in enumerate(waiting):
        now_s = time.monotonic()
        share_s = max(0.0, deadline_s - now_s) / (len(waiting) - done)
        judged.append(Judged(object_, decide(object_, model, Limits(now_s + share_s, configurations))))
    return judged


def decide(history: ObjectHistory, model: Model, limits: Limits) -> Finding:
    """Decide one key, by the method that suits it."""
    return search(history, model, limits)


def _verdict(judged: list[Judged], anomalies: list[Anomaly], naming: Naming, bound_ns: int) -> Verdict:
    undecided = {one.history.key: one.finding.reason for one in judged if one.finding.linearizable is None}
    evidence: dict[str, Any] = {
        "keys": len(judged),
        "configurations": sum(one.finding.configurations for one in judged),
        "clock_bound_ns": bound_ns,
    }
    reason = ""
    if undecided:
        evidence["undecided"] = undecided
        key, why = next(iter(undecided.items()))
        reason = f"{len(undecided)} of {len(judged)} keys were not decided; {key}: {why}"
    if anomalies:
        evidence["invalid_keys"] = sorted(anomaly.history.key for anomaly in anomalies)
        evidence["anomalies"] = [_facts(anomaly, naming) for anomaly in anomalies[:ANOMALIES_LISTED]]
        reason = evidence["anomalies"][0]["explanation"]
    return Verdict(
        valid=False if anomalies else "unknown" if undecided else True,
        checked=len(naming),
        method=METHOD + (f"; intervals widened by {bound_ns / 1e6:g} ms on both sides" if bound_ns else ""),
        reason=reason,
        evidence=evidence,
    )


def _facts(anomaly: Anomaly, naming: Naming) -> dict[str, Any]:
    history, stuck = anomaly
    return {
        "key": history.key,
        "explanation": explain(history, stuck, naming),
        "operation": facts_of(stuck, naming),
        "window": [facts_of(operation, naming) for operation in window(history, stuck)],
    }
