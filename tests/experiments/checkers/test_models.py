"""Every model against brute force: all orders of small histories on a plain object of the same kind."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_histories import MACHINES, comes_first, drawn, has_an_order, intervals, operation

from actors.history import Operation
from experiments.checkers.linearizable import linearizable
from experiments.checkers.linearizable.models import MODELS, UnusableModel, model_named

SEEDS = st.integers(0, (1 << 48) - 1)


@pytest.mark.parametrize("model", sorted(MACHINES))
def test_a_model_judges_small_histories_as_brute_force_does(model: str) -> None:
    """Ties, open operations and lies among them; the generator must have made enough of both kinds."""
    compare(model, 600)


@pytest.mark.long
@pytest.mark.parametrize("model", sorted(MACHINES))
def test_a_model_judges_twenty_thousand_small_histories_as_brute_force_does(model: str) -> None:
    compare(model, 20_000)


def compare(model: str, examples: int) -> None:
    machine, seen = MACHINES[model], Counter[Any]()
    rules = model_named(model) if model != "fencing-lock" else model_named(model).starting_from(0)

    @settings(max_examples=examples, deadline=None, database=None)
    @given(SEEDS)
    def agrees(seed: int) -> None:
        history = drawn(machine, seed)
        verdict = linearizable(history, model=rules)
        if not any(one.outcome == "ok" for one in history):
            assert verdict.valid == "unknown"
            return
        seen[verdict.valid] += 1
        assert verdict.valid is has_an_order(history, machine)

    agrees()
    assert min(seen[True], seen[False]) > examples / 30, seen


def test_every_model_has_its_brute_force() -> None:
    assert {*MACHINES, "lease"} == set(MODELS)


@settings(max_examples=600, deadline=None, database=None)
@given(SEEDS)
def test_a_lease_is_judged_as_by_trying_every_moment(seed: int) -> None:
    """Each operation at each of its moments, in each order: nobody acquires what another still holds."""
    history = _leases(seed)
    if not any(one.outcome == "ok" for one in history):
        return
    assert linearizable(history, model="lease").valid is _lease_has_moments(history, None, 0, 0)


def _leases(seed: int) -> list[Operation]:
    rng = random.Random(seed)
    history = []
    for number, process, start, end, outcome in intervals(rng, 5):
        function = rng.choice(("acquire", "acquire", "renew", "release"))
        value = rng.choice((0, 1, 3, 8, None)) if function != "release" else None
        history.append(operation(number, process, start, end, outcome, function=function, value=value))
    return sorted(history, key=lambda one: (one.invoke_ns, one.intended_ns))


def _lease_has_moments(left: list[Operation], holder: int | None, until: int, now: int) -> bool:
    left = [one for one in left if one.outcome != "fail"]
    if all(one.outcome == "info" for one in left):
        return True
    for one in left:
        if any(comes_first(other, one) for other in left if other is not one):
            continue
        rest = [other for other in left if other is not one]
        for moment in range(max(now, one.invoke_ns), (40 if one.return_ns is None else one.return_ns) + 1):
            mine = holder == one.process
            free = holder is None or mine or moment >= until
            if not (free if one.function == "acquire" else mine):
                continue
            end = 1_000 if one.value is None else moment + one.value  # type: ignore[operator]
            after = (None, 0) if one.function == "release" else (one.process, end)
            if _lease_has_moments(rest, *after, moment):
                return True
    return False


OWN = """
class Dial:
    functions = ("turn", "look")
    initial = 0

    def step(self, state, function, value, result, outcome):
        if function == "turn":
            return (state + value) % 4
        return state if result == state else REFUSED

from experiments.checkers.linearizable.models import REFUSED
"""


def test_a_model_of_the_users_own_is_loaded_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "dial.py").write_text(OWN)
    turns = [operation(n, 1, 10 * n, 10 * n + 5, "ok", function="turn", value=3) for n in range(2)]
    look = operation(2, 1, 20, 25, "ok", function="look", value=None, result=2)
    named = f"{tmp_path}/dial.py:Dial"
    assert linearizable([*turns, look], model=named).valid is True
    assert linearizable([turns[0], look], model=named).valid is False


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("class Dial: pass", "Dial", "the class has no functions, initial, step"),
        ("x = 1", "Dial", "has no class Dial; it has none"),
        ("class Other: pass", "Dial", "has no class Dial; it has Other"),
        ("def (", "Dial", "can't be imported: SyntaxError"),
        ("1 / 0", "Dial", "can't be imported: ZeroDivisionError"),
    ],
)
def test_a_file_without_a_model_is_told_what_it_lacks(tmp_path: Path, source: str, name: str, message: str) -> None:
    (tmp_path / "dial.py").write_text(source)
    with pytest.raises(UnusableModel, match=message):
        model_named(f"{tmp_path}/dial.py:{name}")


def test_unanswered_appends_of_texts_may_all_have_been_found() -> None:
    """What is appended is met as a part of a longer text."""
    appended = [operation(n, n, n, n, "info", function="append", value="a") for n in range(2)]
    found = operation(2, 2, 8, 12, "ok", function="get", value=None, result="aa")
    assert linearizable([*appended, found], model="kv").valid is True
