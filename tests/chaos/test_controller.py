"""The chaos controller: when it injects and heals, whom it hits, what it records, and that it always ends healed."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import Stage, crash, step

from actors.election import RoleChanged
from actors.settings import SECOND
from chaos.controller import Step
from chaos.fault import Fault, Injected, Resolve
from chaos.faults.partition import Partition
from cluster.control import Control
from cluster.journal import FaultHealed, FaultInjected, FaultSkipped, NodeStopped


def test_a_fault_begins_at_its_time_and_ends_after_its_length():
    stage = Stage(step(crash("n2"), at=10, for_=3)).until(60)
    assert stage.pulled() == [(10, "stop", (1,)), (13, "start", (1,))]
    assert stage.told(FaultInjected) == [(10, FaultInjected(0, "crash", 10 * SECOND, (1,), "n2"))]
    assert stage.told(FaultHealed) == [(13, FaultHealed(0))]


def test_every_means_again_and_again_from_one_period_on_to_the_end():
    stage = Stage(step(crash("n1"), every=20, for_=5)).until(60)
    assert [(time, lever) for time, lever, _ in stage.pulled()] == [
        (20, "stop"),
        (25, "start"),
        (40, "stop"),
        (45, "start"),
    ]


def test_a_fault_without_a_length_lasts_to_the_end():
    stage = Stage(step(crash("n1"), at=10)).until(60)
    assert [lever for _, lever, _ in stage.pulled()] == ["stop"]
    stage.finish()
    assert stage.pulled()[-1] == (60, "start", (0,))


def test_at_the_end_all_is_healed_the_last_first_and_nothing_more_begins():
    stage = Stage(step(crash("n1"), at=10), step(Partition(isolate=("n2",)), at=20), step(crash("n3"), at=50)).until(30)
    stage.finish()
    assert [event.number for _, event in stage.told(FaultHealed)] == [1, 0]
    assert stage.controller.due_ns() is None
    assert not any(stage.levers.is_down(node) for node in range(5))
    assert stage.levers.rules() == ()


def test_at_one_moment_what_ends_comes_before_what_begins():
    """Back to back means that the node is up in between."""
    stage = Stage(step(crash("n1"), at=20, for_=5), step(crash("n1"), at=10, for_=10)).until(60)
    assert [lever for _, lever, _ in stage.pulled()] == ["stop", "start", "stop", "start"]


def test_a_node_that_two_faults_hold_comes_back_with_the_last():
    stage = Stage(step(crash("n1"), at=10, for_=10), step(crash("n1", "n2"), at=15, for_=10)).until(60)
    assert stage.pulled() == [(10, "stop", (0,)), (15, "stop", (1,)), (25, "start", (0, 1))]


def test_the_leader_is_the_one_elected_last_that_still_believes_it():
    stage = Stage(*(step(crash("leader"), at=at, for_=1) for at in (10, 20, 30, 40)))
    stage.elect(3, term=1)
    stage.until(15)
    stage.elect(1, term=2)
    stage.elect(4, term=3)
    stage.until(25)
    stage.controller.observe(4, RoleChanged("follower", 4))
    stage.until(35)
    stage.controller.observe(1, NodeStopped())
    stage.controller.observe(3, NodeStopped())
    stage.until(45)
    assert [event.nodes for _, event in stage.told(FaultInjected)] == [(3,), (4,), (1,)]
    assert [(time, event.fault) for time, event in stage.told(FaultSkipped)] == [(40, "crash")]


def test_a_step_that_hits_nobody_is_recorded_with_its_reason():
    stage = Stage(step(crash("leader"), at=10, for_=3)).until(60)
    assert stage.told(FaultSkipped) == [(10, FaultSkipped("crash", 10 * SECOND, "leader: nobody is that now"))]
    assert (stage.pulled(), stage.told(FaultHealed)) == ([], [])


def test_a_partition_with_nobody_on_its_other_side_is_skipped():
    stage = Stage(step(Partition(isolate=("all",)), at=10, for_=3)).until(60)
    assert len(stage.told(FaultSkipped)) == 1
    assert stage.pulled() == []


SCHEDULES = st.lists(
    st.builds(
        step,
        st.sampled_from([crash("random"), crash("random minority"), Partition(halves="random"), crash("leader")]),
        at=st.integers(0, 50),
        for_=st.one_of(st.none(), st.integers(1, 30)),
    ),
    max_size=6,
)


@given(SCHEDULES, st.integers(0, 60))
def test_whenever_it_ends_everything_is_healed_once(schedule, end):
    stage = Stage(*schedule)
    stage.elect(2)
    stage.until(end).finish()
    injected = [event.number for _, event in stage.told(FaultInjected)]
    assert sorted(event.number for _, event in stage.told(FaultHealed)) == injected == list(range(len(injected)))
    assert not any(stage.levers.is_down(node) for node in range(5))
    assert stage.levers.rules() == ()


@given(SCHEDULES, st.integers(0, 1000))
def test_the_same_seed_hits_the_same_nodes(schedule, seed):
    told = [Stage(*schedule, seed=seed).until(60).told(FaultInjected) for _ in range(2)]
    assert told[0] == told[1]


def test_other_seeds_hit_other_nodes():
    hit = {Stage(step(crash("random"), at=1), seed=seed).until(2).told(FaultInjected)[0][1].nodes for seed in range(50)}
    assert len(hit) == 5


@given(SCHEDULES)
def test_a_step_that_is_added_behind_shifts_no_draw_of_the_others(schedule):
    """Taking faults away one by one must leave the rest as it was: shrinking stands on it."""

    def hit(*steps):
        told = Stage(*steps).until(60).told(FaultInjected)
        return [(event.planned_ns, event.fault, event.nodes) for _, event in told if event.fault != "added"]

    assert hit(*schedule, Step("added", crash("random"), 25 * SECOND, None, SECOND)) == hit(*schedule)


def test_repeated_draws_of_one_step_are_independent():
    stage = Stage(step(crash("random"), every=1, for_=0.5), duration_s=60).until(60)
    hit = {event.nodes for _, event in stage.told(FaultInjected)}
    assert len(hit) == 5


class Refuses(Fault, frozen=True):
    """A fault with a bug."""

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        raise ZeroDivisionError


def test_a_fault_with_a_bug_is_no_skipped_step():
    """It must surface; the fabric then still calls `finish`, which heals the others."""
    stage = Stage(step(crash("n1"), at=5), step(Refuses(), at=10))
    with pytest.raises(ZeroDivisionError):
        stage.until(20)
    stage.finish()
    assert not stage.levers.is_down(0)
