"""The step that both fabrics share: the barrier between a node's saves and its sends, and its timers.

A node is driven by hand against a world that only records, so that each promise of the node API is seen alone.
"""

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.message import Event, Message, NodeId
from actors.node import Actor, Stored
from actors.settings import Settings
from cluster.disk import Disk
from cluster.drive import DrivenNode, Effect


class Word(Message, frozen=True):
    """Says a number."""

    number: int


class Told(Event, frozen=True):
    """Tells a number."""

    number: int


class RecordingWorld:
    """What a loop does for its nodes, written down."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.left: list[Any] = []  # what left the node, in order
        self.wakes: list[tuple[int, str]] = []  # what was put on the heap for timers
        self.syncs: list[int] = []  # marks of the syncs begun

    def push_timer(self, due_ns: int, node: NodeId, name: str) -> None:
        self.wakes.append((due_ns, name))

    def start_sync(self, node: DrivenNode) -> None:
        self.syncs.append(node.disk.begin_sync())

    def release(self, node: DrivenNode, effects: list[Effect]) -> None:
        self.left += [what for _, what in effects]


class Idle(Actor):
    """Does nothing by itself."""

    timers: ClassVar = {"t": lambda actor: None}


def driven() -> tuple[RecordingWorld, DrivenNode]:
    world = RecordingWorld()
    node = DrivenNode(
        world, 0, incarnation=0, peers=range(3), regions=("here",) * 3, seed=1, disk=Disk(Stored())
    )  # fmt: skip
    node.attach(Idle(node, Settings()))
    return world, node


# the barrier


def test_without_a_save_a_send_leaves_with_its_handler() -> None:
    world, node = driven()
    node.send(1, Word(1))
    assert world.left == []  # recorded while the handler runs
    node.carry_out()
    assert world.left == [Word(1)]


def test_a_send_waits_for_the_save_of_its_own_handler() -> None:
    world, node = driven()
    node.send(1, Word(1))
    node.save(term=1)
    node.carry_out()
    assert world.left == []
    node.sync_done(world.syncs[-1])
    assert world.left == [Word(1)]


def test_a_send_waits_for_saves_of_earlier_handlers_too() -> None:
    """Holding it only behind its own handler's save gives Raft two leaders in one term."""
    world, node = driven()
    node.save(term=1)
    node.carry_out()
    node.send(1, Word(1))
    node.carry_out()
    assert world.left == []
    node.sync_done(world.syncs[-1])
    assert world.left == [Word(1)]


def test_events_wait_behind_the_barrier_as_sends_do_and_in_their_order() -> None:
    world, node = driven()
    node.save(term=1)
    node.emit(Told(1))
    node.send(1, Word(2))
    node.emit(Told(3))
    node.carry_out()
    assert world.left == []
    node.sync_done(world.syncs[-1])
    assert world.left == [Told(1), Word(2), Told(3)]


def test_one_sync_at_a_time_and_the_next_takes_all_that_gathered() -> None:
    world, node = driven()
    for number in range(4):
        node.save(term=number)
        node.send(1, Word(number))
        node.carry_out()
    assert world.syncs == [1]
    node.sync_done(1)
    assert (world.left, world.syncs) == ([Word(0)], [1, 4])
    node.sync_done(4)
    assert (world.left, world.syncs) == ([Word(0), Word(1), Word(2), Word(3)], [1, 4])


STEPS = st.lists(st.sampled_from(["save", "send", "emit", "handled", "synced"]), max_size=40)


@given(STEPS)
def test_nothing_leaves_before_every_save_asked_for_until_then_is_durable(steps: list[str]) -> None:
    """Against an oracle that counts: each effect bears the number of saves asked for by the end of its handler."""
    world, node = driven()
    saves, pending, due = 0, [], []  # due: (records that must be durable, effect)
    for number, step in enumerate([*steps, "handled"]):
        if step == "save":
            node.save(term=number)
            pending.append(None)
        elif step == "send":
            node.send(1, Word(number))
            pending.append(Word(number))
        elif step == "emit":
            node.emit(Told(number))
            pending.append(Told(number))
        elif step == "handled":
            saves += None in pending  # a handler's saves are one record
            due += [(saves, effect) for effect in pending if effect is not None]
            pending.clear()
            node.carry_out()
        elif world.syncs and node.disk.syncing:
            node.sync_done(world.syncs[-1])
        assert world.left == [effect for mark, effect in due if mark <= node.disk.durable]


# timers


def fire_due(world: RecordingWorld, node: DrivenNode) -> list[tuple[int, str]]:
    """Take wake-ups off the heap in order of time until there is none; which of them fired, and when."""
    fired = []
    while world.wakes:
        world.wakes.sort(key=lambda wake: wake[0])
        due_ns, name = world.wakes.pop(0)
        world.now_ns = max(world.now_ns, due_ns)
        if node.timer_due(name, due_ns):
            fired.append((world.now_ns, name))
    return fired


def test_a_timer_that_is_put_off_again_and_again_stands_once_in_the_heap() -> None:
    world, node = driven()
    for now_ns in range(0, 1000, 10):
        world.now_ns = now_ns
        node.set_timer("t", 500)
    assert len(world.wakes) == 1
    assert fire_due(world, node) == [(1490, "t")]


def test_a_timer_that_is_brought_forward_fires_at_its_new_time_and_once() -> None:
    world, node = driven()
    node.set_timer("t", 500)
    node.set_timer("t", 100)
    assert fire_due(world, node) == [(100, "t")]


def test_a_cancelled_timer_does_not_fire_unless_it_is_set_again() -> None:
    world, node = driven()
    node.set_timer("t", 100)
    node.cancel_timer("t")
    assert fire_due(world, node) == []
    node.set_timer("t", 50)
    node.cancel_timer("t")
    node.set_timer("t", 300)
    assert fire_due(world, node) == [(400, "t")]


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 20))), max_size=30))
def test_a_timer_fires_when_the_last_call_about_it_says_and_only_then(calls: list[tuple[int, int | None]]) -> None:
    """Oracle: one deadline, replaced by each set, dropped by each cancel, reached when time passes it."""
    world, node = driven()
    deadline, expected, fired = None, [], []
    for gap_ns, after_ns in calls:
        until_ns = world.now_ns + gap_ns
        if deadline is not None and deadline <= until_ns:
            expected.append(deadline)
            deadline = None
        while due := sorted(wake for wake in world.wakes if wake[0] <= until_ns):
            world.wakes.remove(due[0])
            world.now_ns = due[0][0]
            if node.timer_due("t", due[0][0]):
                fired.append(world.now_ns)
        world.now_ns = until_ns
        if after_ns is None:
            node.cancel_timer("t")
            deadline = None
        else:
            node.set_timer("t", after_ns)
            deadline = until_ns + after_ns
    assert fired + [at for at, _ in fire_due(world, node)] == expected + ([deadline] if deadline is not None else [])


def test_the_two_clocks_of_a_simulated_node_are_the_runs() -> None:
    world, node = driven()
    world.now_ns = 123
    assert node.monotonic_ns() == 123
    assert node.now_ns() % 1_000_000_000 == 123


def test_a_nodes_streams_are_named_by_purpose_and_incarnation() -> None:
    def first(name: str, incarnation: int) -> float:
        node = DrivenNode(
            RecordingWorld(), 2, incarnation=incarnation, peers=range(3), regions=("here",) * 3, seed=1,
            disk=Disk(Stored()),
        )  # fmt: skip
        return node.random(name).random()

    assert first("election", 0) == first("election", 0)
    assert len({first("election", 0), first("calls", 0), first("election", 1)}) == 3


@pytest.mark.parametrize("after_ns", [0, 7])
def test_a_timer_set_by_its_own_handler_is_a_new_one(after_ns: int) -> None:
    world, node = driven()
    node.set_timer("t", 5)
    due_ns, name = world.wakes.pop()
    world.now_ns = due_ns
    assert node.timer_due(name, due_ns)
    node.set_timer("t", after_ns)
    assert fire_due(world, node) == [(5 + after_ns, "t")]
