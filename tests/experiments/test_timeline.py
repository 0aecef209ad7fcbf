"""A schedule drawn before it is run: the times that a fixed step has, and the words of the file."""

from pathlib import Path

import pytest
from experiments_plans import SMALL, plans_of

from experiments.plan import Plan
from experiments.timeline import WIDTH, bars, describe, lines

S = 1_000_000_000


def planned(tmp_path: Path, chaos: str, duration: str = "10s") -> Plan:
    text = SMALL.replace("[{at: 200ms, crash: {nodes: random}, for: 300ms}]", chaos).replace(
        "duration: 1s", f"duration: {duration}"
    )
    return plans_of(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("step", "times"),
    [
        ("{at: 2s, crash: {nodes: n1}, for: 3s}", [(2, 5)]),
        ("{at: 2s, crash: {nodes: n1}}", [(2, 10)]),
        ("{at: 8s, crash: {nodes: n1}, for: 3s}", [(8, 10)]),
        ("{every: 4s, crash: {nodes: n1}, for: 1s}", [(4, 5), (8, 9)]),
        ("{every: 5s, crash: {nodes: n1}, for: 1s}", [(5, 6)]),
        ("{at: 1s, crash: {nodes: n1}, until: 4s}", [(1, 4)]),
    ],
)
def test_when_faults_are_injected_and_healed(tmp_path: Path, step: str, times: list[tuple[int, int]]) -> None:
    assert [(bar.start_ns // S, bar.end_ns // S) for bar in bars(planned(tmp_path, f"[{step}]"))] == times


def test_a_fault_that_comes_after_the_end_is_not_drawn(tmp_path: Path) -> None:
    assert bars(planned(tmp_path, "[{at: 12s, crash: {nodes: n1}, for: 1s}]")) == []


def test_bars_come_in_order_of_time_and_no_more_than_asked_for(tmp_path: Path) -> None:
    plan = planned(tmp_path, "[{every: 1ms, pause: {nodes: n1}, for: 1ms}, {at: 1s, crash: {nodes: n2}}]")
    found = bars(plan, most=50)
    assert len(found) == 50
    assert [bar.start_ns for bar in found] == sorted(bar.start_ns for bar in found)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("crash: {nodes: n1}", "crash {nodes: n1}"),
        ("crash: {nodes: [n1, n2]}", "crash {nodes: [n1, n2]}"),
        ("partition: {halves: random}", "partition {halves: random}"),
        ("partition: {between: [n1, [n2, n3]], direction: out}", "partition {between: [n1, [n2, n3]], direction: out}"),
        ("loss: {nodes: all, share: 2%}", "loss {nodes: all, share: 2%}"),
        ("slow_fsync: {nodes: n1, time: 1500ms}", "slow_fsync {nodes: n1, time: 1500ms}"),
    ],
)
def test_a_step_is_described_in_the_words_of_the_file_without_its_defaults(
    tmp_path: Path, step: str, words: str
) -> None:
    (found,) = planned(tmp_path, f"[{{at: 1s, {step}}}]").chaos
    assert describe(found) == words


@pytest.mark.parametrize(
    ("target", "later"),
    [("leader", True), ("random minority", True), ("follower", True), ("n1", False), ("minority", False)],
)
def test_whom_it_hits_may_be_known_only_at_run_time(tmp_path: Path, target: str, later: bool) -> None:
    (bar,) = bars(planned(tmp_path, f"[{{at: 1s, crash: {{nodes: {target}}}}}]"))
    assert bar.resolved_later is later


def test_the_drawing_is_to_scale(tmp_path: Path) -> None:
    plan = planned(tmp_path, "[{at: 0s, pause: {nodes: n1}, for: 5s}, {at: 5s, pause: {nodes: n1}}]", "10s")
    rows = [line.split("|")[1] for line in lines(plan) if line.count("|") >= 2]
    assert all(len(row) == WIDTH for row in rows)
    assert rows[-2].count("=") == rows[-1].count("=") == WIDTH // 2
    assert rows[-1].startswith(" " * (WIDTH // 2))
