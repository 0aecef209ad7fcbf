"""The simulator's loop seen from its nodes: batching, the gate of a pause, crash and restart, and the digest."""

from typing import Any, ClassVar

import pytest
from scenario import Got, Run, Script, got, raft_setup, simulate, small_setup, talk

from actors.message import Event, Message, NodeId
from actors.node import Actor
from actors.protocols.raft import Raft
from actors.settings import MS, SECOND, Settings
from cluster.control import Control, LinkRule
from cluster.fabric import ActorSpec
from cluster.journal import Entry, NodePaused, NodeResumed, NodeStarted, NodeStopped


class Step(Message, frozen=True):
    """Carries a number."""

    number: int


class Seen(Event, frozen=True):
    """What the node did, in words."""

    what: str


def seen(run: Run, node: NodeId = 0) -> list[str]:
    return [entry.item.what for entry in run.entries if entry.node == node and isinstance(entry.item, Seen)]


# 0 means behind all that has arrived


class Batching(Actor):
    """Three messages sent to itself and a timer of 0: the timer comes last, and before what is sent later."""

    def start(self) -> None:
        self.node.send(self.node.id, Step(1))
        self.node.send(self.node.id, Step(2))
        self.node.set_timer("begin", 1)

    def on_step(self, _: NodeId, step: Step) -> None:
        self.node.emit(Seen(f"step {step.number}"))
        if step.number == 1:
            self.node.set_timer("batch", 0)

    def on_begin(self) -> None:
        self.node.emit(Seen("begin"))

    def on_batch(self) -> None:
        self.node.emit(Seen("batch"))

    handlers: ClassVar = {Step: on_step}
    timers: ClassVar = {"begin": on_begin, "batch": on_batch}
    events: ClassVar = (Seen,)


def test_a_timer_of_0_fires_behind_all_that_has_arrived() -> None:
    run = simulate(small_setup([ActorSpec(Batching, Settings())], duration_ns=MS))
    assert seen(run) == ["step 1", "step 2", "batch", "begin"]


def test_a_message_to_oneself_says_that_the_save_before_it_is_on_disk() -> None:
    run = simulate(small_setup([ActorSpec(Saving, Settings())], duration_ns=SECOND, fsync_ns=7 * MS))
    assert seen(run) == ["durable at 7 ms"]


class Saving(Actor):
    """Saves, and tells when a message to itself comes."""

    def start(self) -> None:
        self.node.save(term=1)
        self.node.send(self.node.id, Step(1))

    def on_step(self, _: NodeId, step: Step) -> None:
        self.node.emit(Seen(f"durable at {self.node.monotonic_ns() // MS} ms"))

    handlers: ClassVar = {Step: on_step}
    events: ClassVar = (Seen,)


# pause


def at(time_ns: int, call: Any) -> tuple[int, Any]:
    return time_ns, call


def test_a_paused_node_handles_nothing_and_then_everything_in_order() -> None:
    healing: list[Any] = []
    script = Script([
        at(200 * MS, lambda control: healing.append(control.pause([0]))),
        at(500 * MS, lambda control: healing.pop()()),
    ])  # fmt: skip
    run = talk(director=script)
    arrivals = got(run, 1, 0)
    assert not [time_ns for time_ns, _ in arrivals if 200 * MS < time_ns < 500 * MS]
    assert [number for _, number in arrivals] == list(range(1, len(arrivals) + 1))
    assert len([1 for time_ns, _ in arrivals if time_ns == 500 * MS]) >= 29


def test_what_a_paused_node_had_sent_goes_on_and_it_sends_nothing_more() -> None:
    paused_ns = 200 * MS + 1
    run = talk(director=Script([at(paused_ns, lambda control: control.pause([0]))]))
    last_ns, number = got(run, 0, 1)[-1]
    assert paused_ns < last_ns < 210 * MS
    assert number == 21, "one at the start, then one every 10 ms"


def test_a_paused_nodes_timers_fire_late_and_once() -> None:
    healing: list[Any] = []
    script = Script([
        at(201 * MS, lambda control: healing.append(control.pause([0]))),
        at(501 * MS, lambda control: healing.pop()()),
    ])  # fmt: skip
    run = talk(director=script)
    sent_late = [number for time_ns, number in got(run, 0, 1) if time_ns > 500 * MS]
    assert sent_late[0] == 22, "21 ticks until 200 ms, the next when the gate opens"
    assert len(sent_late) == 50, "one at 501 ms, then one every 10 ms"


def test_a_pause_within_a_pause_ends_with_the_last_of_them() -> None:
    healing: list[Any] = []
    script = Script([
        at(100 * MS, lambda control: healing.append(control.pause([0]))),
        at(200 * MS, lambda control: healing.append(control.pause([0]))),
        at(300 * MS, lambda control: healing.pop(0)()),
        at(400 * MS, lambda control: healing.pop(0)()),
    ])  # fmt: skip
    run = talk(director=script)
    told = [(entry.time_ns // MS, type(entry.item)) for entry in run.entries
            if isinstance(entry.item, NodePaused | NodeResumed)]  # fmt: skip
    assert told == [(100, NodePaused), (400, NodeResumed)]


def test_a_node_that_restarts_while_paused_stays_behind_its_gate() -> None:
    healing: list[Any] = []
    script = Script([
        at(100 * MS, lambda control: control.pause([0])),
        at(200 * MS, lambda control: healing.append(control.crash([0]))),
        at(300 * MS, lambda control: healing.pop()()),
    ])  # fmt: skip
    run = talk(director=script)
    assert not [time_ns for time_ns, _ in got(run, 1, 0) if time_ns > 100 * MS]


# crash and restart


class Counting(Actor):
    """Saves a count every 10 ms, and tells what it found at its start."""

    def start(self) -> None:
        self.count = self.node.load().facts.get("count", 0)
        self.memory = 0
        self.node.emit(Seen(f"start {self.node.incarnation} with {self.count}, {self.memory}"))
        self.node.set_timer("tick", 10 * MS)

    def on_tick(self) -> None:
        self.count += 1
        self.memory += 1
        self.node.save(count=self.count)
        self.node.set_timer("tick", 10 * MS)

    timers: ClassVar = {"tick": on_tick}
    events: ClassVar = (Seen,)


def crashed(fsync_ns: int, seed: int = 1) -> list[str]:
    """What a counting node tells if it is down from 505 ms to 605 ms."""
    healing: list[Any] = []
    script = Script([
        at(505 * MS, lambda control: healing.append(control.crash([0]))),
        at(605 * MS, lambda control: healing.pop()()),
    ])  # fmt: skip
    setup = small_setup([ActorSpec(Counting, Settings())], fsync_ns=fsync_ns, seed=seed)
    return seen(simulate(setup, script))


def test_a_restarted_node_has_its_disk_and_nothing_else() -> None:
    assert crashed(fsync_ns=MS) == ["start 0 with 0, 0", "start 1 with 50, 0"]


def test_a_crash_loses_any_number_of_the_records_that_were_not_synced() -> None:
    """An fsync of 95 ms: at 505 ms the sync that began at 485 ms is under way; records 48 to 50 are not synced."""
    counts = {int(crashed(fsync_ns=95 * MS, seed=seed)[1].split()[3].rstrip(",")) for seed in range(40)}
    least, most = min(counts), max(counts)
    assert most == 50
    assert counts == set(range(least, 51))
    assert 50 - 2 * 10 < least < 50


def test_what_is_on_its_way_to_a_node_that_crashed_is_lost_and_what_it_sent_is_not() -> None:
    script = Script([at(200 * MS + MS // 2, lambda control: control.crash([0]))])
    run = talk(director=script)
    assert max(time_ns for time_ns, _ in got(run, 0, 1)) > 200 * MS + MS // 2
    assert run.loop.traffic().dropped > 0
    assert not [time_ns for time_ns, _ in got(run, 1, 0) if time_ns > 200 * MS + MS // 2]


def test_a_sync_that_was_under_way_at_a_crash_means_nothing_to_the_next_incarnation() -> None:
    healing: list[Any] = []
    script = Script([
        at(11 * MS, lambda control: healing.append(control.crash([0]))),
        at(12 * MS, lambda control: healing.pop()()),
    ])  # fmt: skip
    run = simulate(small_setup([ActorSpec(Counting, Settings())], fsync_ns=30 * MS, duration_ns=200 * MS), script)
    node = run.loop.nodes[0]
    assert node.incarnation == 1
    assert 0 < node.disk.durable <= node.disk.asked


def test_starts_and_stops_are_told_with_their_incarnation() -> None:
    healing: list[Any] = []
    script = Script([
        at(100 * MS, lambda control: healing.append(control.crash([1]))),
        at(200 * MS, lambda control: healing.pop()()),
    ])  # fmt: skip
    told: list[Entry] = [entry for entry in talk(director=script).entries if entry.node == 1]
    assert [
        (entry.time_ns // MS, entry.item) for entry in told if isinstance(entry.item, NodeStarted | NodeStopped)
    ] == [(0, NodeStarted(0, "sim")), (100, NodeStopped()), (200, NodeStarted(1, "sim"))]


# the digest


def busy(seed: int = 1, lines: Any = ()) -> Run:
    return simulate(raft_setup(Raft, seed=seed, duration_ns=2 * SECOND), Script(lines))


def test_the_same_setup_gives_the_same_digest_and_another_seed_another() -> None:
    assert busy().digest == busy().digest
    assert busy().digest != busy(seed=2).digest


@pytest.mark.parametrize(
    "lever",
    [
        lambda control: control.pause([0])(),
        lambda control: control.crash([0])(),
        lambda control: control.lay((LinkRule(sources=(0,), targets=(1,), delay_ns=1),)),
        lambda control: control.slow_fsync([0, 1, 2, 3, 4], 1),
    ],
    ids=["pause", "crash", "delay", "slow-fsync"],
)
def test_the_digest_tells_a_run_from_one_in_which_anything_else_happened(lever: Any) -> None:
    assert busy().digest != busy(lines=[(SECOND, lever)]).digest


def test_watching_a_run_does_not_change_it() -> None:
    setup = raft_setup(Raft, duration_ns=2 * SECOND)
    plain = simulate(setup)

    class Curious(Script):
        def observe(self, node: NodeId, event: Event, time_ns: int) -> None:
            super().observe(node, event, time_ns)
            assert isinstance(self.control, Control)

    assert simulate(setup, Curious()).digest == plain.digest


def test_a_talkers_run_counts_what_it_delivers() -> None:
    run = talk()
    told = sum(isinstance(entry.item, Got) for entry in run.entries)
    traffic = run.loop.traffic()
    assert traffic.delivered == told
    in_flight = traffic.sent - traffic.dropped - traffic.delivered
    assert 0 <= in_flight <= 6
