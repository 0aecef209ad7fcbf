"""Every fault has a measured effect that healing ends: all of them on the simulator, one of each class on Ray."""

import pytest

from benchmarks.fault_effects import ALONE, CASES, LOAD, PROCESS, names
from benchmarks.faults import HEAD, Outcome, outcomes_of
from chaos.faults import FAULTS
from chaos.operator_step import OperatorStep

LATE_MS = 30  # faults of 80 ms and messages every 20 ms can't be told from a machine that is later than this


def judged(outcomes: list[Outcome], fabric: str) -> None:
    """All bite and heal; else the whole table is shown."""
    table = "\n".join([HEAD, *(outcome.line(fabric) for outcome in outcomes)])
    assert all(outcome.bites and outcome.heals for outcome in outcomes), table


def test_every_fault_has_its_line_in_the_table():
    """But for an operator's steps, which take a system that obeys: `test_operator_steps` measures them."""
    assert sorted(names(CASES)) == sorted(name for name, kind in FAULTS.items() if not issubclass(kind, OperatorStep))


@pytest.mark.parametrize("group", [ALONE, PROCESS, LOAD], ids=["alone", "process", "load"])
@pytest.mark.parametrize("seed", [1, 2])
def test_faults_bite_and_heal_on_the_simulator(group, seed):
    judged(outcomes_of(group, "sim", seed=seed), "sim")


@pytest.mark.ray
@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        (
            ALONE,
            ("loss", "delay", "bandwidth", "pause", "slow_cpu", "buggify", "clock_jump", "clock_drift", "read_only"),
        ),
        (PROCESS, ("crash", "wipe", "failed_fsync")),
        (LOAD, ("surge",)),
    ],
    ids=["alone", "process", "load"],
)
def test_one_fault_of_each_class_bites_and_heals_on_ray(ray_session, group, wanted):
    outcomes = outcomes_of([case for case in group if case.fault in wanted], "ray")
    lag_ms = max(outcome.lag_ms for outcome in outcomes)
    if lag_ms > LATE_MS and not all(outcome.bites and outcome.heals for outcome in outcomes):
        pytest.skip(f"this machine is too small or too busy: handlers ran {lag_ms:.0f} ms late")
    judged(outcomes, "ray")


def test_a_fault_that_does_nothing_does_not_bite():
    """The table can say so: a loss of nothing, held against what a loss is asked for."""
    (idle,) = [case._replace(settings={"share": 0.0}) for case in ALONE if case.fault == "loss"]
    (outcome,) = outcomes_of([idle], "sim")
    assert not outcome.bites
