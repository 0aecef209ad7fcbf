"""What faults do to messages, timers and nodes, the same on every fabric.

One run of three beacons in three regions, through every fault in turn, is recorded once a fabric; each test reads one
promise out of the record.
"""

from collections import Counter
from statistics import median

import msgspec
import pytest
from fabric_runs import Ended, RunOn, is_alive
from scenario import small_setup
from witnesses import Beacon, Echoing, Fired, Heard, Process

from actors.settings import MS, SECOND, Settings
from chaos.controller import Step
from chaos.faults import FAULTS
from cluster.fabric import ActorSpec
from cluster.journal import FaultHealed, FaultInjected, FaultSkipped, NodePaused, NodeResumed, NodeStarted, NodeStopped
from cluster.latency import load_profile

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
N1, N2, N3 = range(3)
END_NS = 6 * SECOND
MARGIN_NS = 40 * MS  # by how much a real fabric may be late with a change of rules


def step(
    at_ms: int, fault: str, for_ms: int | None = None, *, max_affected: int | None = None, **settings: object
) -> Step:
    """One line of a schedule."""
    for_ns = None if for_ms is None else for_ms * MS
    made = msgspec.convert(settings, FAULTS[fault])
    return Step(fault, made, at_ms * MS, None, for_ns, max_affected=max_affected)


SCHEDULE = (
    step(600, "partition", 400, isolate=["n1"]),
    step(1200, "partition", 400, between=[["n1"], ["n2"]], direction="out"),
    step(1800, "loss", 600, nodes=["n1"], direction="out", share=0.5),
    step(2600, "duplicate", 400, nodes=["n1"], direction="out", share=1.0),
    step(3200, "delay", 400, nodes=["n1"], direction="out", time_ns=100 * MS),
    step(4000, "pause", 500, nodes=["n3"]),
    step(5000, "crash", None, nodes=["n2"]),
    step(5400, "partition", None, isolate=["n1"]),
    step(5500, "pause", None, nodes=["n3"], max_affected=3),  # with n2 down, more than a minority
)
(ISOLATED, ONE_WAY, LOSSY, DOUBLED, DELAYED, PAUSED, CRASHED, ISOLATED_TO_THE_END, PAUSED_TO_THE_END) = range(9)


@pytest.fixture(scope="module")
def ended(run_on: RunOn) -> Ended:
    """The run, over."""
    setup = small_setup(
        [ActorSpec(Beacon, Settings())] * 3, regions=REGIONS, duration_ns=END_NS, drain_ns=4 * SECOND, seed=11
    )
    return run_on(setup, Echoing(SCHEDULE, seed=setup.seed, duration_ns=setup.duration_ns))


def window(ended: Ended, fault: int) -> tuple[int, int]:
    """From when to when a fault was certainly at work."""
    begin = next(e.time_ns for e in ended.of(FaultInjected) if e.item.number == fault)
    end = next(e.time_ns for e in ended.of(FaultHealed) if e.item.number == fault)
    return begin + MARGIN_NS, end - MARGIN_NS


def heard(ended: Ended, source: int, target: int) -> list[tuple[int, Heard]]:
    """What a node heard of another, as (time, beat)."""
    return [(e.time_ns, e.item) for e in ended.of(Heard, target) if e.item.sender == source]


def sent_in(ended: Ended, link: tuple[int, int], span: tuple[int, int]) -> list[tuple[int, Heard]]:
    """What was heard on a link of the beats that were sent in a span of time."""
    return [(at, beat) for at, beat in heard(ended, *link) if span[0] <= beat.sent_ns < span[1]]


def said_in(span: tuple[int, int]) -> float:
    """About how many beats a node sends in a span of time."""
    return (span[1] - span[0]) / (5 * MS)


LINKS = [(source, target) for source in range(3) for target in range(3) if source != target]


@pytest.mark.parametrize("link", LINKS)
def test_messages_arrive_in_the_order_of_sending(ended: Ended, link: tuple[int, int]) -> None:
    """Per directed pair. What a fault duplicates comes out of order, so a beat's first arrival counts."""
    numbers = [(beat.incarnation, beat.number) for _, beat in heard(ended, *link)]
    first = list(dict.fromkeys(numbers))
    assert len(first) > 100
    assert first == sorted(first)


@pytest.mark.parametrize("link", LINKS)
def test_a_trip_takes_the_profiles_time(ended: Ended, fabric: str, link: tuple[int, int]) -> None:
    table = load_profile("aws-2025").trip(REGIONS[link[0]], REGIONS[link[1]]).table()
    trips = sorted(at - beat.sent_ns for at, beat in sent_in(ended, link, (0, 3 * SECOND)))  # before any delay is laid
    assert trips[0] >= min(table)
    if fabric == "sim":  # first in, first out: a trip that overtakes waits, which shifts the median a little up
        assert 0.98 * median(table) <= median(trips) <= 1.1 * median(table)
    else:  # how late a busy machine is with most of them says nothing of the links
        assert trips[len(trips) // 20] <= 1.02 * median(table) + 4 * MS


def test_a_partition_cuts_both_ways_and_spares_the_other_side(ended: Ended) -> None:
    span = window(ended, ISOLATED)
    for link in LINKS:
        count = len(sent_in(ended, link, span))
        assert count == 0 if N1 in link else count > 0.7 * said_in(span), link


def test_a_healed_partition_lets_messages_pass(ended: Ended) -> None:
    span = 1050 * MS, 1150 * MS
    for link in LINKS:
        assert len(sent_in(ended, link, span)) > 0.7 * said_in(span), link


def test_a_one_way_partition_cuts_one_way(ended: Ended) -> None:
    span = window(ended, ONE_WAY)
    assert sent_in(ended, (N1, N2), span) == []
    assert len(sent_in(ended, (N2, N1), span)) > 0.7 * said_in(span)
    assert len(sent_in(ended, (N1, N3), span)) > 0.7 * said_in(span)


def test_loss_takes_its_share(ended: Ended) -> None:
    span = window(ended, LOSSY)
    for link in ((N1, N2), (N1, N3)):
        share = len(sent_in(ended, link, span)) / said_in(span)
        assert 0.25 < share < 0.7, link
    assert len(sent_in(ended, (N2, N1), span)) > 0.7 * said_in(span)


def test_duplication_delivers_everything_twice(ended: Ended) -> None:
    for link in ((N1, N2), (N1, N3)):
        times = Counter(beat.number for _, beat in sent_in(ended, link, window(ended, DOUBLED)))
        assert len(times) > 40
        assert set(times.values()) == {2}
    alone = Counter(beat.number for _, beat in sent_in(ended, (N2, N1), window(ended, DOUBLED)))
    assert set(alone.values()) == {1}


def test_delay_adds_to_the_trip(ended: Ended, fabric: str) -> None:
    table = load_profile("aws-2025").trip(REGIONS[N1], REGIONS[N2]).table()
    trips = [at - beat.sent_ns for at, beat in sent_in(ended, (N1, N2), window(ended, DELAYED))]
    late_ns = 0 if fabric == "sim" else 60 * MS
    assert 100 * MS + min(table) <= min(trips)
    assert median(trips) <= 104 * MS + 1.1 * median(table) + late_ns


def test_a_paused_node_handles_nothing_and_loses_nothing(ended: Ended) -> None:
    """Mail waits at the gate and comes in order; no timer fires meanwhile, so it says nothing either."""
    begin = ended.of(NodePaused, N3)[0].time_ns
    end = ended.of(NodeResumed, N3)[0].time_ns
    assert 450 * MS < end - begin < 600 * MS
    assert not [e for e in ended.of(Heard, N3) if begin < e.time_ns < end]
    assert len(sent_in(ended, (N1, N3), (begin, end))) > 0.7 * said_in((begin, end))
    assert sent_in(ended, (N3, N1), (begin + 1, end)) == []


def test_a_crashed_node_is_silent_and_comes_back_as_a_new_incarnation(ended: Ended) -> None:
    stopped = ended.of(NodeStopped, N2)[0].time_ns
    first, again = ended.of(NodeStarted, N2)
    assert (first.item.incarnation, again.item.incarnation) == (0, 1)
    assert not [e for e in ended.of(Heard, N2) if stopped + MARGIN_NS < e.time_ns < again.time_ns]
    assert [beat for _, beat in heard(ended, N2, N3) if beat.incarnation == 1]


def test_what_a_crashed_node_had_sent_still_arrives(ended: Ended) -> None:
    """A trip from Ireland to Singapore takes some 90 ms: what was under way when the sender died is not recalled."""
    stopped = ended.of(NodeStopped, N2)[0].time_ns
    on_the_way = [beat for at, beat in heard(ended, N2, N3) if beat.incarnation == 0 and at > stopped + 20 * MS]
    assert len(on_the_way) > 5


def test_timers_fire_once_at_the_time_set_last(ended: Ended, fabric: str) -> None:
    """Never early; how late, a busy machine decides, so the most punctual of three nodes counts."""
    late_ns = 0 if fabric == "sim" else 25 * MS
    after: dict[str, list[int]] = {"once": [], "moved": [], "sooner": [], "behind": []}
    for node in range(3):
        for entry in ended.of(Fired, node)[:4]:  # of its first life
            after[entry.item.name].append(entry.item.after_ns)
        assert len(ended.of(Fired, node)) == 4 * len(ended.of(NodeStarted, node)), "the cancelled one did not fire"
    for name, due_ms in (("once", 50), ("moved", 90), ("sooner", 20), ("behind", 0)):
        assert len(after[name]) == 3, name
        assert due_ms * MS <= min(after[name]) <= due_ms * MS + late_ns, name


def test_events_reach_the_director(ended: Ended) -> None:
    (echo,) = ended.of(FaultSkipped)
    assert echo.item.fault == "echo"
    assert 0 < echo.time_ns - echo.item.planned_ns < SECOND


def test_everything_is_healed_at_the_end(ended: Ended) -> None:
    """The crashed node is back, the gate open, the partition gone, though no line of the schedule says so."""
    healed = {e.item.number: e.time_ns for e in ended.of(FaultHealed)}
    assert sorted(healed) == list(range(9))
    for fault in (CRASHED, ISOLATED_TO_THE_END, PAUSED_TO_THE_END):
        assert END_NS <= healed[fault] < END_NS + SECOND
    span = max(ended.of(NodeStarted, N2)[-1].time_ns, *healed.values()) + MARGIN_NS, END_NS + 60 * SECOND
    for link in LINKS:
        assert sent_in(ended, link, span), link


def test_a_run_tells_how_many_messages_it_delivered(ended: Ended) -> None:
    handled = len(ended.of(Heard))
    assert 0.85 * handled <= ended.result.messages <= handled + 200


def test_a_crash_kills_the_process_and_a_restart_is_a_new_one(ended: Ended, fabric: str) -> None:
    """On the simulator all nodes share one process, which lives on."""
    before, after = (e.item.pid for e in ended.of(Process, N2))
    assert (before != after) == (fabric == "ray")
    assert is_alive(before) == (fabric == "sim")
