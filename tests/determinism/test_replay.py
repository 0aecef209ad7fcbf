"""The time machine: a run made again up to a moment shows what was there then."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from determinism.random_plans import digest_of, plan_of
from msgspec.structs import replace

from actors.settings import MS
from cluster.sim.replay import Around, ReplayLoop, Watched, glimpse
from cluster.sim.replay import replay as run_again
from experiments import plan as plans
from experiments import runner
from experiments.cli.replay import replay_command
from experiments.plan import Plan, StepPlan
from experiments.why import name_of, why

NUMBER = 7  # a random experiment


def replayed(plan: Plan, until_ns: int | None, **options: Any) -> ReplayLoop:
    director = runner.controller_of(plan)
    loop = ReplayLoop(runner.setup_of(plan, name="replay"), director, **options)
    run_again(loop, director, until_ns=until_ns)
    return loop


@pytest.mark.parametrize("number", [2, 7, 19])
def test_a_replay_to_the_end_is_the_same_run(number: int) -> None:
    assert replayed(plan_of(number), None).hexdigest() == digest_of(plan_of(number))


def test_a_glimpse_is_the_same_whether_the_run_stops_there_or_was_there_before() -> None:
    """What a node's state is at a moment depends on nothing that comes later."""
    plan = plan_of(NUMBER)
    early, again = replayed(plan, 150 * MS), replayed(plan, 150 * MS)
    assert [glimpse(early, node) for node in early.nodes] == [glimpse(again, node) for node in again.nodes]
    assert early.now_ns == 150 * MS + 1


def test_a_glimpse_shows_state_timers_disk_and_what_is_on_its_way() -> None:
    loop = replayed(plan_of(NUMBER), 200 * MS)
    (seen,) = [glimpse(loop, node) for node in (0,)]
    assert seen.up
    assert seen.state is not None
    assert set(seen.state) == set(loop.nodes[0].actor.volatile)
    assert seen.disk["unsynced_records"] >= 0
    assert seen.timers
    assert all(line.startswith("#") for line in seen.last)


def test_a_window_lies_about_its_moment() -> None:
    loop = replayed(plan_of(NUMBER), None, around=Around(number=300))
    assert loop.reel.moment == 300
    assert [one.number for one in loop.reel.window] == list(range(288, 313))
    by_time = replayed(plan_of(NUMBER), None, around=Around(time_ns=100 * MS))
    moment = next(one for one in by_time.reel.window if one.number == by_time.reel.moment)
    assert moment.line.time_ns >= 100 * MS
    assert all(one.line.time_ns < 100 * MS for one in by_time.reel.window if one.number < moment.number)


def test_watching_tells_each_change_with_the_step_that_made_it() -> None:
    """A Raft's term starts unknown, then only grows; the last value is the one that the node ends with."""
    plan = next(plan for plan in map(plan_of, range(50)) if plan.system.name == "raft" and not plan.chaos)
    loop = replayed(plan, None, watched=Watched(0, "term"))
    values = [change.new for change in loop.changes]
    assert values == sorted(set(values))
    assert values[-1] == loop.nodes[0].actor.term
    assert all(change.by is not None and not change.by.line.line for change in loop.changes[1:])


def invoke(plan: Plan, folder: Path, *options: str) -> Any:
    path = folder / "plan.json"
    path.write_bytes(plans.encode(plan))
    return CliRunner().invoke(replay_command, [str(path), "--store", str(folder), *options])


def test_the_command_gives_one_document(tmp_path: Path) -> None:
    done = invoke(plan_of(NUMBER), tmp_path, "--until", "100ms", "--node", "n1", "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["nodes"]["n1"]["up"] is True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--node", "n99"), "no node 'n99'"),
        (("--until", "soon"), "--until soon"),
        (("--watch", "n1"), "NODE.NAME"),
        (("--watch", "n1.trm"), "nothing is called trm"),
        (("--around", "99999999"), "ends before"),
    ],
)
def test_bad_options_are_named(options: tuple[str, ...], told: str, tmp_path: Path) -> None:
    plan = next(plan for plan in map(plan_of, range(50)) if plan.system.name == "raft")
    done = invoke(plan, tmp_path, *options)
    assert done.exit_code == 2
    assert told in done.output


def crash_plan() -> Plan:
    """A Raft of three that loses two nodes for 300 ms, and has a slow disk for a moment that hurts nobody."""
    plan = next(
        plan for plan in map(plan_of, range(200)) if plan.system.name == "raft" and len(plan.cluster.regions) == 3
    )
    steps = (
        StepPlan(fault="slow_fsync", settings={"nodes": ("n1",), "time_ns": 1000}, at_ns=400 * MS, for_ns=10 * MS),
        StepPlan(fault="crash", settings={"nodes": ("n1", "n2")}, at_ns=200 * MS, label="two down"),
    )
    return replace(plan, chaos=steps, expect=("availability >= 99%",), duration_ns=600 * MS)


def test_why_tells_the_fault_that_caused_a_failure_from_one_that_did_not() -> None:
    found = why(crash_plan(), lambda _: None)
    assert found.failed == ["availability >= 99%"]
    harmless, two_down = found.faults
    assert two_down.step == "two down"
    assert "availability" in two_down.metrics
    assert harmless.violations == []
    assert harmless.metrics.keys() <= {"latency_p99_ms", "elections"}


def test_a_step_without_a_label_is_called_by_its_fault_and_place() -> None:
    assert name_of(crash_plan().chaos[0], 0) == "slow_fsync (step 1)"
