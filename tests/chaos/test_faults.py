"""Each fault on the simulator: what it does is measured while it lasts, and gone once it is healed."""

import pytest
from scenario import MS, SECOND, Run, got, talk

from chaos.controller import Controller, Step
from chaos.fault import Fault
from chaos.faults import FAULTS
from chaos.faults.crash import Crash
from chaos.faults.delay import Delay
from chaos.faults.duplicate import Duplicate
from chaos.faults.loss import Loss
from chaos.faults.partition import Partition
from chaos.faults.pause import Pause
from chaos.faults.slow_fsync import SlowFsync
from cluster.ailment import HEALTHY
from cluster.journal import NodePaused, NodeResumed, NodeStarted, NodeStopped

BEGIN_NS, END_NS, OVER_NS = 2 * SECOND, 5 * SECOND, 7 * SECOND


def under(fault: Fault, servers: int = 5) -> Run:
    """Talkers say a number to all every 10 ms; the fault lasts from 2 s to 5 s of 7 s."""
    steps = (Step("fault", fault, BEGIN_NS, None, END_NS - BEGIN_NS),)
    return talk(servers, Controller(steps, seed=1, duration_ns=OVER_NS), duration_ns=OVER_NS)


def heard(run: Run, source: int, target: int) -> list[int]:
    """How many messages came in each second."""
    counts = [0] * 7
    for time_ns, _ in got(run, source, target):
        counts[min(6, time_ns // SECOND)] += 1
    return counts


ALL, CUT = [100] * 7, [100, 100, 0, 0, 0, 100, 100]


def as_said(counts: list[int], expected: list[int]) -> bool:
    return all(abs(count - wanted) <= 2 for count, wanted in zip(counts, expected, strict=True))


@pytest.mark.parametrize(
    ("partition", "cut"),
    [
        (Partition(isolate=("n1",)), {(0, 1), (1, 0), (0, 4), (4, 0)}),
        (Partition(isolate=("n1",), direction="out"), {(0, 1), (0, 4)}),
        (Partition(isolate=("n1",), direction="in"), {(1, 0), (4, 0)}),
        (Partition(between=(("n1", "n2"), ("n5",))), {(0, 4), (4, 0)}),
        (Partition(between=(("n1",), ("n2",)), direction="out"), {(0, 1)}),
    ],
    ids=["isolate", "out", "in", "between", "between out"],
)
def test_a_partition_cuts_what_it_says_and_nothing_else(partition, cut):
    run = under(partition)
    for source, target in [(0, 1), (1, 0), (0, 4), (4, 0), (1, 2), (2, 3)]:
        assert as_said(heard(run, source, target), CUT if (source, target) in cut else ALL), (source, target)


def test_halves_leave_each_side_whole():
    run = under(Partition(halves="random"))
    (left,) = [fault.nodes for fault in run.recording.faults]
    assert len(left) == 2
    for source in range(5):
        for target in range(5):
            if source != target:
                crosses = (source in left) != (target in left)
                assert as_said(heard(run, source, target), CUT if crosses else ALL)


def test_a_crash_stops_a_node_and_its_end_restarts_it():
    run = under(Crash(nodes=("n2",)))
    assert as_said(heard(run, 1, 0), CUT)
    assert as_said(heard(run, 0, 1), CUT)
    changes = [entry for entry in run.entries if isinstance(entry.item, NodeStarted | NodeStopped) and entry.node == 1]
    assert [(entry.time_ns, type(entry.item)) for entry in changes] == [
        (0, NodeStarted),
        (BEGIN_NS, NodeStopped),
        (END_NS, NodeStarted),
    ]
    numbers = [number for time_ns, number in got(run, 1, 0) if time_ns >= END_NS]
    assert numbers[0] == 1, "what it held in memory is gone"


def test_a_paused_node_handles_what_waited_when_it_goes_on():
    run = under(Pause(nodes=("n2",)))
    assert as_said(heard(run, 1, 0), CUT)
    assert as_said(heard(run, 0, 1), [100, 100, 0, 0, 0, 400, 100])
    numbers = [number for _, number in got(run, 0, 1)]
    assert numbers == sorted(numbers), "in the order of arrival"
    changes = [entry for entry in run.entries if isinstance(entry.item, NodePaused | NodeResumed)]
    assert [(entry.time_ns, entry.node) for entry in changes] == [(BEGIN_NS, 1), (END_NS, 1)]


def trips_ms(run: Run, source: int, target: int, begin_ns: int, end_ns: int) -> list[float]:
    """A talker's n-th message leaves at (n - 1) * 10 ms."""
    sent = ((time_ns - (number - 1) * 10 * MS, (number - 1) * 10 * MS) for time_ns, number in got(run, source, target))
    return sorted(trip_ns / MS for trip_ns, sent_ns in sent if begin_ns <= sent_ns < end_ns)


@pytest.mark.parametrize(
    ("direction", "slowed"),
    [("both", {(0, 1), (1, 0)}), ("out", {(0, 1)}), ("in", {(1, 0)})],
    ids=["both", "out", "in"],
)
def test_delay_adds_its_time_to_each_trip_of_its_nodes(direction, slowed):
    run = under(Delay(nodes=("n1",), time_ns=30 * MS, direction=direction))
    for source, target in [(0, 1), (1, 0), (1, 2)]:
        before, during = (trips_ms(run, source, target, *when) for when in ((0, BEGIN_NS), (BEGIN_NS, END_NS)))
        added = during[len(during) // 2] - before[len(before) // 2]
        assert added == pytest.approx(30 if (source, target) in slowed else 0, abs=0.5)
        after = trips_ms(run, source, target, END_NS + 50 * MS, OVER_NS - 100 * MS)
        assert after[len(after) // 2] == pytest.approx(before[len(before) // 2], abs=0.5)


def test_delay_is_added_once_between_two_nodes_that_it_hits():
    run = under(Delay(nodes=("n1", "n2"), time_ns=30 * MS))
    before, during = (trips_ms(run, 0, 1, *when) for when in ((0, BEGIN_NS), (BEGIN_NS, END_NS)))
    assert during[150] - before[100] == pytest.approx(30, abs=1)


def test_loss_takes_its_share():
    """300 messages a link, four links each way: a share of 20% with a deviation of 0.8%."""
    run = under(Loss(nodes=("n1",), share=0.2))
    came = sum(sum(heard(run, 0, other)[2:5]) + sum(heard(run, other, 0)[2:5]) for other in range(1, 5))
    assert came / 2400 == pytest.approx(0.8, abs=0.033)
    assert as_said(heard(run, 1, 2), ALL)
    assert as_said([*heard(run, 0, 1)[:2], *heard(run, 0, 1)[5:]], [100] * 4)


def test_duplicate_delivers_its_share_twice():
    run = under(Duplicate(nodes=("n1",), share=0.5))
    came = sum(sum(heard(run, 0, other)[2:5]) for other in range(1, 5))
    assert came / 1200 == pytest.approx(1.5, abs=0.06)
    assert as_said(heard(run, 1, 2), ALL)
    assert as_said(heard(run, 0, 1)[5:], [100, 100])


def test_slow_fsync_delays_what_waits_for_it():
    """See the barrier's tests for what must wait; here, that the lever is pulled and let go."""
    fault = SlowFsync(nodes=("n1", "n2"), time_ns=70 * MS)
    run = under(fault)
    (injected,) = run.recording.faults
    assert (injected.nodes, injected.healed_ns) == ((0, 1), END_NS)
    assert {node.ailment for node in run.loop.nodes.values()} == {HEALTHY}


def test_every_fault_says_in_words_what_it_does():
    """The record must be readable without the schedule."""
    for fault in (Crash(nodes=("n2",)), Pause(nodes=("n2",)), Delay(nodes=("n2",), time_ns=5 * MS)):
        (injected,) = under(fault, servers=3).recording.faults
        assert "n2" in injected.detail


def test_every_fault_of_the_table_describes_itself():
    assert all(kind.__doc__ and kind.__doc__.strip() for kind in FAULTS.values())
