"""Zones against brute force and against the search, on small histories of registers with unique writes."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_histories import MACHINES, drawn, has_an_order, intervals, operation

from actors.history import Operation
from experiments.checkers.columns import columns_of
from experiments.checkers.linearizable import linearizable
from experiments.checkers.linearizable.models import model_named
from experiments.checkers.linearizable.objects import object_history
from experiments.checkers.linearizable.search import Limits, search
from experiments.checkers.linearizable.zones import zones

SEEDS = st.integers(0, (1 << 48) - 1)
LIMITS = Limits(float("inf"), 1_000_000)


def unique_writes(seed: int, longest: int = 6) -> list[Operation]:
    """Reads of what was written, of nothing, and of what nobody wrote; each value written once."""
    rng = random.Random(seed)
    history = []
    for number, process, start, end, outcome in intervals(rng, longest):
        if rng.random() < 0.5:
            what: dict[str, Any] = {"function": "write", "value": number + 1, "result": number + 1}
        else:
            what = {"function": "read", "value": None, "result": rng.choice((None, *range(1, min(5, longest + 1))))}
        history.append(operation(number, process, start, end, outcome, **what))
    return sorted(history, key=lambda one: (one.invoke_ns, one.intended_ns))


def by_search(history: list[Operation], bound_ns: int = 0) -> bool | None:
    model = model_named("register")
    return search(object_history("k", enumerate(history), model, bound_ns), model, LIMITS).linearizable


def compare(examples: int) -> Counter[Any]:
    seen: Counter[Any] = Counter()

    @settings(max_examples=examples, deadline=None, database=None)
    @given(SEEDS)
    def agrees(seed: int) -> None:
        history = unique_writes(seed)
        found = zones(columns_of(history))
        truth = has_an_order(history, MACHINES["register"])
        assert by_search(history) is truth
        seen[truth, bool(found.disputed)] += 1
        if found.decided:
            assert (not found.clashes) is truth
        verdict = linearizable(history, model="register")
        assert verdict.valid in (truth, "unknown")

    agrees()
    return seen


def test_zones_judge_as_brute_force_and_the_search_do() -> None:
    """Where process order and touching intervals leave zones undecided, the search decides."""
    seen = compare(1_500)
    assert min(sum(count for (truth, _), count in seen.items() if truth is wanted) for wanted in (True, False)) > 150


@pytest.mark.long
def test_zones_judge_fifty_thousand_histories_as_brute_force_does() -> None:
    compare(50_000)


@settings(max_examples=1_000, deadline=None, database=None)
@given(SEEDS, st.integers(0, 3))
def test_zones_and_the_search_agree_under_any_clock_bound(seed: int, bound_ns: int) -> None:
    history = unique_writes(seed)
    found = zones(columns_of(history), bound_ns=bound_ns)
    if found.decided:
        assert (not found.clashes) is by_search(history, bound_ns)


def atomic(seed: int, operations: int, *, clients: int, keys: int) -> list[Operation]:
    """What real registers answered; every write is unique."""
    rng = random.Random(seed)
    free = [(rng.randrange(50), client) for client in range(clients)]
    acts = []
    for number in range(operations):
        start, client = min(free)
        free.remove((start, client))
        moment = start + rng.randrange(1, 60)
        end = moment + rng.randrange(1, 60)
        free.append((end + rng.randrange(4), client))
        acts.append((moment, number, client, start, end))
    state: dict[str, int] = {}
    history = []
    for _, number, client, start, end in sorted(acts):
        key = f"k{rng.randrange(keys)}"
        what: dict[str, Any] = {"function": "read", "value": None, "result": state.get(key)}
        if rng.random() < 0.5:
            state[key] = number
            what = {"function": "write", "value": number, "result": number}
        history.append(operation(number, client, start, end, "ok", key=key, **what))
    return sorted(history, key=lambda one: (one.invoke_ns, one.intended_ns))


@pytest.mark.parametrize("seed", range(3))
def test_a_real_register_is_valid_and_one_stale_read_is_found(seed: int) -> None:
    history = atomic(seed, 6_000, clients=12, keys=3)
    verdict = linearizable(history, model="register")
    assert (verdict.valid, "zones" in verdict.method) == (True, True)
    stale = next(place for place in range(4_000, 6_000) if history[place].function == "read")
    old = next(one for one in history[100:] if one.key == history[stale].key and one.function == "write")
    lie = operation(
        history[stale].intended_ns,
        history[stale].process,
        history[stale].invoke_ns,
        history[stale].return_ns or 0,
        "ok",
        key=old.key,
        function="read",
        value=None,
        result=old.value,
    )
    verdict = linearizable([*history[:stale], lie, *history[stale + 1 :]], model="register")
    assert verdict.valid is False
    (anomaly,) = verdict.evidence["anomalies"]
    assert anomaly["operation"]["operation"] == stale
    assert len(anomaly["window"]) <= 6
    assert f"read {stale}" in anomaly["picture"] or f"> process {lie.process}" in anomaly["picture"]


def test_the_operations_of_an_anomaly_can_not_be_ordered_by_themselves() -> None:
    """The few that are shown are enough: brute force finds no order of them either."""
    shown = 0
    for seed in range(400):
        history = unique_writes(seed, 9)
        verdict = linearizable(history, model="register")
        if verdict.valid is not False or "zones" not in verdict.method or "search" in verdict.method:
            continue
        anomaly = verdict.evidence["anomalies"][0]
        part = [history[one["operation"]] for one in anomaly["window"]]
        assert not has_an_order(part, MACHINES["register"])
        shown += 1
    assert shown > 50


def test_drawn_registers_agree_too() -> None:
    """Repeated values: zones leave those keys to the search."""
    for seed in range(500):
        history = drawn(MACHINES["register"], seed)
        if any(one.outcome == "ok" for one in history):
            assert linearizable(history, model="register").valid is has_an_order(history, MACHINES["register"])
