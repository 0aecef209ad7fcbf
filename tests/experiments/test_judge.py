"""What makes a run ok, and a group of runs."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from experiments_plans import plans_of

from actors.history import Operation
from cluster.journal import Traffic
from cluster.topology import Topology
from experiments import judge
from experiments.checkers.verdict import Verdict
from experiments.judge import judge_group, judge_run, named_checkers
from experiments.plan import Plan
from experiments.recording import Recording
from experiments.store import Summary

WORDS: dict[str, Any] = {"right": True, "wrong": False, "nobody-knows": "unknown"}


@pytest.fixture(autouse=True)
def _checkers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checker for each verdict."""
    table = {name: lambda _, word=word: Verdict(valid=word, checked=1) for name, word in WORDS.items()}
    monkeypatch.setattr(judge, "CHECKERS", table)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return msgspec.structs.replace(plans_of(tmp_path)[0], check=(), expect=())


def recording(oks: int = 3) -> Recording:
    history = [
        Operation(
            process=0, node=3, workload="register", function="read", key="k", value=None, intended_ns=number,
            invoke_ns=number, return_ns=number + 1, outcome="ok",
        )
        for number in range(oks)
    ]  # fmt: skip
    return Recording(
        topology=Topology(("lan",) * 4, 3), duration_ns=10**9, warm_up_ns=0, end_ns=10**9, history=history, events=[],
        faults=[], skipped=[], traffic=Traffic(sent=1, dropped=0, delivered=1, bytes=0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("check", "expect", "ok"),
    [
        (["right"], [], True),
        (["wrong"], [], False),
        (["nobody-knows"], [], False),
        (["wrong"], ["wrong is invalid"], True),  # a checker that a line names is judged by that line alone
        (["wrong"], ["wrong is valid"], False),
        (["right"], ["right is invalid"], False),
        (["right", "wrong"], ["right is valid"], False),
        ([], ["nobody-knows is valid"], False),
        ([], ["nobody-knows is invalid"], False),
        ([], ["ok >= 3", "ok <= 3"], True),
        ([], ["ok >= 3", "ok > 3"], False),
        ([], ["bytes_sent >= 0B"], False),
        (["wrong"], ["other: wrong is invalid"], False),  # a line about another variant
    ],
)
def test_ok_is_every_expectation_and_every_check_that_none_names(
    plan: Plan, check: list[str], expect: list[str], ok: bool
) -> None:
    lines = tuple(line for line in expect if not line.startswith("other:"))
    judged = judge_run(msgspec.structs.replace(plan, check=tuple(check), expect=lines), recording())
    assert judged.ok is ok
    assert judged.verdicts.keys() == {*check, *(word for line in lines for word in WORDS if line.startswith(word))}


def test_a_checker_that_only_a_line_of_the_group_names_runs_too_and_alone_spoils_nothing(plan: Plan) -> None:
    planned = msgspec.structs.replace(plan, check=("wrong",), group_expect=("wrong is invalid in 50% of runs",))
    judged = judge_run(planned, recording())
    assert (judged.ok, judged.verdicts["wrong"].valid) == (True, False)
    assert named_checkers(msgspec.structs.replace(planned, group_expect=("b: wrong is valid in 9% of runs",))) == ()


def test_metrics_without_data_are_left_out(plan: Plan) -> None:
    metrics = judge_run(plan, recording(0)).metrics
    assert metrics["ok"] == 0
    assert "availability" not in metrics
    assert None not in metrics.values()


def ran(plan: Plan, variant: str, seed: int, **more: Any) -> tuple[Plan, Summary]:
    matrix = more.pop("matrix", {})
    lines = ("a.ok <= b.ok", "ok >= 1 in 100% of runs", "c: ok >= 1 in 100% of runs", "a.ok <= d.ok")
    planned = msgspec.structs.replace(plan, variant=variant, seed=seed, matrix=matrix, group_expect=lines)
    summary = Summary(
        run="r", dir="d", experiment="e", variant=variant, fabric="sim", seed=seed, params={}, digest=None, metrics=more
    )
    return planned, summary


def test_runs_are_paired_by_seed_and_place_and_lines_about_runs_that_are_not_there_are_left_out(plan: Plan) -> None:
    """As when one variant is asked for, or a plan is run again by itself."""
    group = [ran(plan, "b", 2, ok=9), ran(plan, "a", 1, ok=1), ran(plan, "b", 1, ok=1), ran(plan, "a", 2, ok=2)]
    judged = judge_group(group)
    assert [(line.text, line.holds, line.value) for line in judged] == [
        ("a.ok <= b.ok", True, [2, 1]),
        ("ok >= 1 in 100% of runs", True, [9, 1, 1, 2]),
    ]
    apart = [ran(plan, "a", 1, ok=1, matrix={"x": 1}), ran(plan, "b", 1, ok=1, matrix={"x": 2})]
    assert judge_group(apart)[0].holds == "unknown"
    assert [line.text for line in judge_group(group[:1])] == ["ok >= 1 in 100% of runs"]


def test_on_a_machine_that_is_too_small_performance_is_unknown_and_counts_are_not(plan: Plan) -> None:
    lines = ("availability >= 0%", "latency_p50_ms <= 1h", "operations >= 0")
    planned = msgspec.structs.replace(plan, check=(), expect=lines)
    assert [line.holds for line in judge_run(planned, recording()).expect] == [True, True, True]
    small = judge_run(planned, recording(), too_small=True)
    assert [line.holds for line in small.expect] == ["unknown", "unknown", True]
    assert not small.ok
