"""Schedules: random times, conditions, steps after steps, blocks, limits, steady states and stop conditions."""

from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import Stage, crash, step

from actors.election import RoleChanged
from actors.history import Invoke, Return
from actors.load import Backlog
from actors.protocols.raft_messages import Committed
from actors.settings import MS, SECOND
from chaos.conditions import MalformedCondition, parse
from chaos.faults.loss import Loss
from chaos.faults.partition import Partition
from chaos.schedule import Steady, Step, occurrences
from cluster.journal import FaultHealed, FaultInjected, FaultSkipped, NodeStarted, NodeStopped, RunStopped


def injected(stage: Stage) -> list[tuple[float, str]]:
    """(time, whom) of each injection."""
    return [(time, event.detail) for time, event in stage.told(FaultInjected)]


def healed(stage: Stage) -> list[float]:
    return [time for time, _ in stage.told(FaultHealed)]


# times


@given(st.integers(1, 10), st.integers(0, 3000), st.integers(1, 9), st.integers(0, 99))
def test_every_with_a_jitter_and_a_count(every_s, jitter_ms, count, seed):
    one = Step("crash", crash("n1"), None, every_s * SECOND, jitter_ns=jitter_ms * MS, count=count)
    times = [time.at_ns for time in occurrences(one, seed=seed, duration_ns=30 * SECOND)]
    assert len(times) <= count
    for number, time_ns in enumerate(times, start=1):
        assert 0 <= time_ns - number * every_s * SECOND <= jitter_ms * MS
        assert time_ns < 30 * SECOND


def test_random_times_have_the_means_that_were_asked_for():
    """MTBF 20 s and MTTR 5 s over two days: some 7,000 of each, within 5%."""
    one = Step("crash", crash("n1"), between_ns=20 * SECOND, heal_ns=5 * SECOND)
    times = list(occurrences(one, seed=1, duration_ns=2 * 86_400 * SECOND))
    ups = [after.at_ns - before.at_ns - before.for_ns for before, after in pairwise(times)]
    assert mean(ups) / SECOND == pytest.approx(20, rel=0.05)
    assert mean(time.for_ns for time in times) / SECOND == pytest.approx(5, rel=0.05)


def test_random_times_come_from_the_seed_and_the_step_alone():
    one, other = (Step("crash", crash("n1"), between_ns=SECOND, heal_ns=SECOND, key=key) for key in ("a", "b"))
    times = [
        list(occurrences(step, seed=seed, duration_ns=60 * SECOND))
        for step, seed in ((one, 1), (one, 1), (one, 2), (other, 1))
    ]
    assert times[0] == times[1]
    assert times[0] != times[2]
    assert times[0] != times[3]


def test_until_a_time():
    stage = Stage(step(crash("n1"), at=10, until_ns=17 * SECOND)).until(60)
    assert (injected(stage), healed(stage)) == ([(10, "n1")], [17])


def test_until_a_condition_or_at_most_for_a_time():
    one = step(crash("n1"), at=10, for_=20, until="term > 5")
    assert healed(Stage(one).see(2, RoleChanged("candidate", 6), at=14).until(60)) == [14]
    assert healed(Stage(one).see(2, RoleChanged("candidate", 5), at=14).until(60)) == [30]


# conditions


def test_when_a_condition_becomes_true():
    stage = Stage(step(crash("leader"), for_=1, when="leader changes"))
    stage.elect(0, at=5).elect(1, term=2, at=9).elect(2, term=3, at=20).until(60)
    assert injected(stage) == [(9, "n2")]


def test_when_happens_again_as_often_as_it_is_told_to():
    stage = Stage(step(crash("leader"), for_=1, when="leader changes", count=2))
    for number in range(5):
        stage.elect(number, term=number + 1, at=5 * number + 5)
    assert [time for time, _ in injected(stage.until(60))] == [10, 15]


def test_its_own_effect_does_not_set_a_condition_off_while_it_lasts():
    stage = Stage(step(crash("n1"), for_=10, when="node crashes", count=9))
    stage.see(4, NodeStopped(), at=5).see(3, NodeStopped(), at=8).see(3, NodeStopped(), at=30).until(60)
    assert [time for time, _ in injected(stage)] == [5, 30]


def test_a_condition_that_is_not_seen_in_time_is_given_up():
    stage = Stage(step(crash("n1"), when="term > 5", timeout_ns=20 * SECOND)).see(1, RoleChanged("follower", 9), at=21)
    assert injected(stage.until(60)) == []
    assert stage.told(FaultSkipped) == [(20, FaultSkipped("crash", 20 * SECOND, "not seen in time: term > 5"))]


def test_how_late_a_condition_was_seen_is_recorded():
    """The planned time is that of the event; the record's own time is when the fault was injected."""
    stage = Stage(step(crash("n1"), when="term > 5"))
    stage.levers.now_ns = 10 * SECOND
    stage.controller.observe(1, RoleChanged("follower", 9), 9 * SECOND)
    stage.controller.advance(10 * SECOND)
    ((time, event),) = stage.told(FaultInjected)
    assert (time, event.planned_ns) == (10, 9 * SECOND)


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("leader elected", [RoleChanged("leader", 1)]),
        ("no leader", [RoleChanged("leader", 1), RoleChanged("follower", 2)]),
        ("node crashes", [NodeStopped()]),
        ("node recovers", [NodeStarted(1, "n1")]),
        ("term >= 3", [RoleChanged("follower", 3)]),
        ("elections == 2", [RoleChanged("leader", 1), RoleChanged("leader", 2)]),
        ("queue > 1000", [Backlog(1024)]),
        ("open > 1", [Invoke(1, "w", "read", "k", None, 0), Invoke(2, "w", "read", "k", None, 0)]),
        ("failed > 0", [Invoke(1, "w", "read", "k", None, 0), Return(1, "info")]),
        ("commit >= 7", [Committed(1, 7)]),
        ("Committed.index > 6", [Committed(1, 7)]),
        ("crashes < 1", []),
    ],
)
def test_each_condition_is_seen_with_the_event_that_makes_it_true_and_not_before(text, events):
    stage = Stage(step(crash("n5"), when=text))
    for event in events:
        assert injected(stage.until(stage.levers.now_ns / SECOND + 1)) == []
        stage.see(0, event)
    assert len(injected(stage.until(30))) == 1


def test_lag_is_how_long_a_server_has_lacked_what_another_committed():
    stage = Stage(step(crash("n1"), when="lag > 2s"), servers=2)
    stage.see(0, Committed(1, 5), at=1).see(1, Committed(1, 5), at=2).see(0, Committed(1, 6), at=10)
    stage.see(0, Committed(1, 7), at=11).see(0, Committed(1, 8), at=12)
    assert injected(stage) == []
    stage.see(0, Committed(1, 9), at=12.5)
    assert [time for time, _ in injected(stage.until(30))] == [12.5]


@pytest.mark.parametrize("text", ["", "leader", "term >", "term > x", "terms > 5", "lag > 5", "term > 5s", "term = 5"])
def test_what_is_no_condition_is_told_with_what_there_is(text):
    with pytest.raises(MalformedCondition, match=r"leader changes|there are|measured|unit"):
        parse(text)


# steps after steps, and blocks


def test_after_follows_the_end_of_a_step_each_time():
    stage = Stage(
        step(crash("n1"), every=20, for_=5, label="first"),
        step(crash("n2"), for_=2, after="first"),
    ).until(60)
    assert injected(stage) == [(20, "n1"), (25, "n2"), (40, "n1"), (45, "n2")]


def test_a_sequence_is_one_after_another():
    block = step(
        None, at=10, sequence=(step(crash("n1"), for_=3), step(None, wait_ns=2 * SECOND), step(crash("n2"), for_=4))
    )
    stage = Stage(block).until(60)
    assert (injected(stage), healed(stage)) == ([(10, "n1"), (15, "n2")], [13, 19])


def test_together_is_all_at_once_and_ends_with_the_last():
    both = step(None, together=(step(crash("n1"), for_=3), step(Partition(isolate=("n2",)), for_=5)))
    stage = Stage(step(None, at=10, sequence=(both, step(crash("n3"), for_=1)))).until(60)
    assert [(time, detail[:2]) for time, detail in injected(stage)] == [(10, "n1"), (10, "n2"), (15, "n3")]


def test_a_fault_without_an_end_keeps_nobody_waiting():
    stage = Stage(step(None, at=10, sequence=(step(crash("n1")), step(crash("n2"), for_=1)))).until(60)
    assert injected(stage) == [(10, "n1"), (10, "n2")]
    assert healed(stage.finish()) == [11, 60]


def test_repeat_does_a_step_again_and_again():
    block = step(None, at=10, repeat=3, sequence=(step(crash("n1"), for_=1), step(None, wait_ns=SECOND)))
    assert injected(Stage(block).until(60)) == [(10, "n1"), (12, "n1"), (14, "n1")]


def test_each_repeat_draws_anew():
    block = step(None, at=1, repeat=40, sequence=(step(crash("random"), for_=1),))
    assert {detail for _, detail in injected(Stage(block).until(60))} == {"n1", "n2", "n3", "n4", "n5"}


def test_a_probability_is_drawn_each_time():
    """400 times at 25%: 100 with a deviation of 9."""
    stage = Stage(step(crash("n1"), every=0.1, for_=0.01, probability=0.25), duration_s=40).until(40)
    assert len(injected(stage)) == pytest.approx(100, abs=4 * 9)
    assert len(injected(stage)) + len(stage.told(FaultSkipped)) == 399


# limits


def test_steps_together_never_take_down_more_than_a_minority():
    stage = Stage(
        step(crash("n1"), at=1), step(crash("n2"), at=2), step(crash("n3"), at=3), step(crash("n1"), at=4)
    ).until(9)
    assert [detail for _, detail in injected(stage)] == ["n1", "n2", "n1"]
    ((_, skipped),) = stage.told(FaultSkipped)
    assert skipped.reason == "n3: 3 of 5 servers would be down at once; 2 may be"


def test_a_step_that_names_more_has_asked_for_it():
    assert injected(Stage(step(crash("all"), at=1)).until(9)) == [(1, "n1,n2,n3,n4,n5")]


def test_max_affected_says_otherwise():
    steps = [step(crash(f"n{number}"), at=number, max_affected=4) for number in range(1, 6)]
    assert len(injected(Stage(*steps).until(9))) == 4
    assert injected(Stage(step(crash("random 3"), at=1, max_affected=2)).until(9)) == []


def test_a_limit_is_of_nodes_that_are_down_not_of_those_with_bad_links():
    assert len(injected(Stage(*(step(Loss(nodes=("all",), share=0.1), at=at) for at in (1, 2, 3))).until(9))) == 3


# steady state and stop conditions


def test_chaos_waits_for_the_steady_state():
    stage = Stage(step(crash("n1"), at=1, for_=1), steady=Steady("leader elected", 20 * SECOND))
    assert injected(stage.until(7)) == []
    assert injected(stage.elect(2, at=8).until(60)) == [(8, "n1")]


def test_without_a_steady_state_there_is_no_chaos():
    stage = Stage(step(crash("n1"), at=1, for_=1), steady=Steady("leader elected", 20 * SECOND)).until(60)
    assert injected(stage) == []
    assert [(time, event.reason) for time, event in stage.told(FaultSkipped)] == [
        (20, "no steady state in time: leader elected")
    ]


def test_a_stop_condition_ends_the_run_with_everything_healed():
    stage = Stage(step(crash("n1"), at=1), stop_when=("term > 9",)).until(5)
    assert not stage.controller.over
    stage.see(2, RoleChanged("candidate", 10), at=6).until(6).finish()
    assert stage.controller.over
    assert [event.condition for _, event in stage.told(RunStopped)] == ["term > 9"]
    assert healed(stage) == [6]


BLOCKS = st.recursive(
    st.builds(step, st.sampled_from([crash("random"), Partition(halves="random")]), for_=st.integers(1, 5)),
    lambda steps: st.one_of(
        st.builds(lambda inner: step(None, sequence=tuple(inner)), st.lists(steps, min_size=1, max_size=3)),
        st.builds(lambda inner: step(None, together=tuple(inner)), st.lists(steps, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


def length_s(one: Step) -> int:
    """How long a block takes: the oracle."""
    if one.fault is not None:
        return one.for_ns // SECOND
    return sum(map(length_s, one.sequence)) + max(map(length_s, one.together), default=0)


def faults_in(one: Step) -> int:
    return (one.fault is not None) + sum(map(faults_in, (*one.sequence, *one.together)))


@given(BLOCKS)
def test_blocks_inside_blocks_take_as_long_as_their_parts(block):
    """The step that comes after starts when the whole block has ended."""
    stage = Stage(
        step(None, at=1, label="block", sequence=(block,), max_affected=5),
        step(Loss(nodes=("n1",), share=0.5), after="block"),
        servers=99,
    ).until(60)
    told = injected(stage)
    assert len(told) == faults_in(block) + 1
    assert told[-1][0] == 1 + length_s(block)
