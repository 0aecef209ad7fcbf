"""Whom an expectation speaks of, and what makes it hold, fail, or stay unknown."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.checkers.verdict import Verdict
from experiments.expect import GroupRun, judge, judge_group, parse

VALID, INVALID, UNKNOWN = (Verdict(valid=word, checked=1) for word in (True, False, "unknown"))


def run(variant: str | None = None, pairing: int = 0, verdict: Verdict = VALID, **metrics: float | None) -> GroupRun:
    return GroupRun(variant, (pairing,), metrics, {"linearizable": verdict})


def group(text: str, runs: Sequence[GroupRun]) -> Any:
    return judge_group(parse(text), runs)


@pytest.mark.parametrize(
    ("word", "verdict", "holds", "value"),
    [
        ("valid", VALID, True, "valid"),
        ("valid", INVALID, False, "invalid"),
        ("invalid", INVALID, True, "invalid"),
        ("invalid", VALID, False, "valid"),
        ("valid", UNKNOWN, "unknown", "unknown"),
        ("invalid", UNKNOWN, "unknown", "unknown"),
    ],
)
def test_unknown_satisfies_neither_valid_nor_invalid(word: str, verdict: Verdict, holds: Any, value: str) -> None:
    assert judge(parse(f"linearizable is {word}"), {}, {"linearizable": verdict}) == (holds, value)


@pytest.mark.parametrize("metrics", [{}, {"latency_p99_ms": None}])
@pytest.mark.parametrize("sign", ["<=", ">=", "!=", "=="])
def test_without_data_a_line_is_unknown_whatever_it_compares(metrics: dict[str, Any], sign: str) -> None:
    assert judge(parse(f"latency_p99_ms {sign} 5ms"), metrics, {}) == ("unknown", None)


def test_the_value_is_the_left_side_in_the_metrics_own_unit() -> None:
    assert judge(parse("latency_p99_ms <= 5s"), {"latency_p99_ms": 70.0}, {}) == (True, 70.0)
    assert judge(parse("2 * latency_p99_ms <= 5s"), {"latency_p99_ms": 70.0}, {}) == (True, 140.0)
    assert judge(parse("throughput_ops_s >= 5/s"), {"throughput_ops_s": 7.0}, {}) == (True, 7.0)


def test_a_division_by_nothing_is_unknown() -> None:
    assert judge(parse("ok / failed >= 2"), {"ok": 4.0, "failed": 0.0}, {})[0] == "unknown"


def test_a_labelled_metric_is_looked_up_under_its_labels() -> None:
    metrics = {"ok": 1.0, "ok[region=eu-west-1,op=read]": 7.0}
    assert judge(parse("ok[op=read,region=eu-west-1] == 7"), metrics, {})[0] is True


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.floats(0, 10)), unique_by=lambda one: one[:2]))
def test_variants_are_compared_seed_by_seed(measured: list[tuple[int, str, float]]) -> None:
    """By hand: every seed that has both must hold; a seed that has one of them says nothing."""
    runs = [run(variant, pairing, ok=value) for pairing, variant, value in measured]
    by_seed: dict[int, dict[str, float]] = {}
    for pairing, variant, value in measured:
        by_seed.setdefault(pairing, {})[variant] = value
    pairs = [both for both in by_seed.values() if len(both) == 2]
    holds, values, variants = group("a.ok <= 0.5 * b.ok", runs)
    assert variants == ("a", "b")
    if not pairs:
        assert (holds, values) == ("unknown", None)
        return
    assert holds is all(both["a"] <= 0.5 * both["b"] for both in pairs)
    assert values == [both["a"] for both in pairs]


@given(st.lists(st.sampled_from([True, False, "unknown"]), min_size=1, max_size=20), st.integers(1, 100))
def test_a_share_of_runs(outcomes: list[Any], percent: int) -> None:
    """It holds once enough hold, fails once too few can, and is unknown in between."""
    words = {True: 1.0, False: 0.0, "unknown": None}
    holds, _, _ = group(f"ok >= 1 in {percent}% of runs", [run(ok=words[one]) for one in outcomes])
    yes, perhaps = outcomes.count(True), outcomes.count(True) + outcomes.count("unknown")
    if yes * 100 >= percent * len(outcomes):
        assert holds is True
    else:
        assert holds == ("unknown" if perhaps * 100 >= percent * len(outcomes) else False)


def test_a_share_counts_the_runs_of_the_variants_before_the_colon_alone() -> None:
    runs = [run("a", ok=1), run("b", ok=0), run("c", ok=0)]
    assert group("a: ok >= 1 in 100% of runs", runs) == (True, [1], ("a",))
    assert group("a, b: ok >= 1 in 50% of runs", runs) == (True, [1, 0], ("a", "b"))
    assert group("a, b: ok >= 1 in 51% of runs", runs)[0] is False
    assert group("d: ok >= 1 in 50% of runs", runs) == ("unknown", None, ("d",))


def test_a_verdict_may_be_asked_of_a_share_of_runs() -> None:
    runs = [run(verdict=VALID), run(verdict=INVALID), run(verdict=UNKNOWN)]
    assert group("linearizable is valid in 30% of runs", runs)[0] is True
    assert group("linearizable is valid in 60% of runs", runs)[0] == "unknown"
    assert group("linearizable is valid in 90% of runs", runs)[0] is False


def test_one_pair_without_data_leaves_a_comparison_unknown_and_one_that_fails_decides_it() -> None:
    whole = [run("a", 1, ok=1), run("b", 1, ok=1)]
    assert group("a.ok <= b.ok", [*whole, run("a", 2, ok=None), run("b", 2, ok=1)])[0] == "unknown"
    failing = [run("a", 3, ok=2), run("b", 3, ok=1)]
    assert group("a.ok <= b.ok", [*whole, run("a", 2, ok=None), run("b", 2, ok=1), *failing])[0] is False
