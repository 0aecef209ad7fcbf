"""Client pools: closed and open loops, redirects and retries, and what the history says of each outcome."""

import random
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import FakeNode, tell

from actors.client import Client, ClientSettings, Redirect, Reply, Request
from actors.errors import ERRORS
from actors.history import Abandoned, Invoke, Return
from actors.settings import MS, SECOND
from actors.workload import Call, Workload

STOP_NS = 10 * SECOND


class Writes(Workload, frozen=True):
    """Writes of the unique number to one key."""

    functions: ClassVar = ("write",)

    def call(self, rng: random.Random, unique: int, seen) -> Call:
        return Call("write", "k1", unique)


def pool(processes: int = 2, *, node: FakeNode | None = None, **workload) -> tuple[Client, FakeNode]:
    """A started pool at three servers, all in one region."""
    asked = Writes(clients=processes, timeout_ns=SECOND, **workload)
    node = node or FakeNode(3, servers=3, clients=1)
    client = Client(node, settings_for(asked))
    client.start()
    return client, node


def settings_for(workload: Workload, *, index: int = 0, pools: int = 1) -> ClientSettings:
    return ClientSettings(
        name="writes",
        workload=workload,
        processes=tuple(range(index, workload.clients, pools)),
        first_fresh=workload.clients,
        pool=index,
        pools=pools,
        stop_after_ns=STOP_NS,
    )


def requests(node: FakeNode) -> list[tuple[int, int, int]]:
    """(server, process, serial) of what was asked."""
    return [(to, one.command.process, one.command.serial) for to, one in node.sent(Request)]


def pass_time(client: Client, node: FakeNode, until_ns: int) -> None:
    """Let all timers up to that time go off, in order."""
    while node.timers and min(node.timers.values()) <= until_ns:
        node.fire(client, min(node.timers, key=lambda name: (node.timers[name], name)))
    node.clock_ns = until_ns


def ok(process: int, serial: int, value=None) -> Reply:
    return Reply(process, serial, None, value)


# the closed loop


def test_each_process_of_a_closed_loop_has_one_operation_open():
    _, node = pool(3)
    assert [one[1:] for one in requests(node)] == [(0, 1), (1, 1), (2, 1)]
    assert [event.process for event in node.emitted(Invoke)] == [0, 1, 2]


def test_a_closed_loop_goes_on_when_an_operation_ended():
    client, node = pool(1)
    node.clock_ns = 7 * MS
    node.forget()
    tell(client, 1, ok(0, 1, 5))
    assert node.emitted(Return) == [Return(0, "ok", 5)]
    assert requests(node) == [(1, 0, 2)], "the server that answered leads"
    assert node.emitted(Invoke)[0].intended_ns == 7 * MS


def test_an_answer_counts_once():
    client, node = pool(1)
    for _ in range(2):
        tell(client, 1, ok(0, 1))
    assert len(node.emitted(Return)) == 1


def test_nothing_starts_after_the_end_of_the_workload():
    client, node = pool(1)
    node.clock_ns = STOP_NS
    node.forget()
    tell(client, 1, ok(0, 1))
    assert (requests(node), len(node.emitted(Return))) == ([], 1)


# outcomes


@pytest.mark.parametrize("error", sorted(ERRORS))
def test_the_history_gets_the_outcome_of_the_error(error):
    """After fail the process goes on; after info its number is never used again, for it may still act."""
    client, node = pool(1)
    node.forget()
    tell(client, 1, Reply(0, 1, error, None))
    outcome = ERRORS[error].outcome
    assert node.emitted(Return) == [Return(0, outcome, None, error)]
    assert requests(node)[0][1:] == ((0, 2) if outcome == "fail" else (1, 1))


def test_an_operation_without_an_answer_in_time_may_have_happened():
    client, node = pool(1)
    pass_time(client, node, SECOND)
    assert node.emitted(Return) == [Return(0, "info", None, "timed-out")]
    assert node.emitted(Invoke)[-1].process == 1


def test_a_late_answer_to_an_operation_that_was_given_up_changes_nothing():
    client, node = pool(1)
    pass_time(client, node, SECOND)
    node.forget()
    tell(client, 1, ok(0, 1))
    assert node.asked == []


def test_after_a_time_out_the_pool_goes_elsewhere_first():
    client, node = pool(1)
    (silent, _, _) = requests(node)[0]
    for _ in range(9):
        node.forget()
        pass_time(client, node, node.clock_ns + SECOND)
        ((asked, _, _),) = requests(node)
        assert asked != silent
        silent = asked


def test_fresh_process_numbers_of_different_pools_never_meet():
    numbers = []
    for index in range(3):
        node = FakeNode(3 + index, servers=3, clients=3)
        client = Client(node, settings_for(Writes(clients=5, timeout_ns=SECOND), index=index, pools=3))
        client.start()
        pass_time(client, node, 5 * SECOND)
        numbers += [event.process for event in node.emitted(Invoke)]
    assert len(numbers) == len(set(numbers)) == 5 * 6


def test_the_unique_numbers_of_different_pools_never_meet():
    values = []
    for index in range(3):
        node = FakeNode(3 + index, servers=3, clients=3)
        client = Client(node, settings_for(Writes(clients=5, timeout_ns=SECOND), index=index, pools=3))
        client.start()
        pass_time(client, node, 5 * SECOND)
        values += [event.value for event in node.emitted(Invoke)]
    assert len(values) == len(set(values)) == 5 * 6


# redirects


def test_a_redirect_to_the_leader_is_followed_at_once():
    client, node = pool(1)
    (first, _, _) = requests(node)[0]
    leader = (first + 1) % 3
    node.forget()
    tell(client, first, Redirect(0, 1, leader))
    assert requests(node) == [(leader, 0, 1)]
    assert node.emitted() == [], "the same operation: nothing is invoked again"


def test_without_a_leader_the_pool_asks_again_after_a_pause():
    client, node = pool(1)
    (first, _, _) = requests(node)[0]
    node.forget()
    tell(client, first, Redirect(0, 1, None))
    assert requests(node) == []
    pass_time(client, node, 50 * MS)
    assert [one[1:] for one in requests(node)] == [(0, 1)]


def test_a_redirect_by_a_server_that_was_not_asked_is_ignored():
    """It answers an earlier send; the server asked since may already have taken the command."""
    client, node = pool(1)
    (first, _, _) = requests(node)[0]
    tell(client, first, Redirect(0, 1, (first + 1) % 3))
    node.forget()
    tell(client, first, Redirect(0, 1, (first + 2) % 3))
    assert node.asked == []


def test_a_leader_that_refuses_is_no_longer_taken_for_one():
    client, _ = pool(1)
    tell(client, 1, ok(0, 1))
    tell(client, 1, Redirect(0, 2, None))
    assert client.leader is None


def test_an_operation_that_all_servers_refused_ends_with_info():
    """A refusal is of one copy only: the link may deliver the request twice, and its server be leader by then."""
    client, node = pool(1)
    (first, _, _) = requests(node)[0]
    node.clock_ns = 980 * MS
    tell(client, first, Redirect(0, 1, None))
    pass_time(client, node, SECOND)
    assert node.emitted(Return) == [Return(0, "info", None, "no-leader")]


# the open loop


def test_arrivals_of_an_open_loop_come_at_the_workloads_rate():
    """100/s over 10 s, all processes free: 1,000 arrivals, with a Poisson deviation of 32."""
    client, node = pool(1, rate=100.0)
    arrived = 0
    while "arrival" in node.timers:
        node.fire(client, "arrival")
        tell(client, 1, ok(0, client.slots[0].serial))
        arrived += len(node.emitted(Invoke))
        node.forget()
    assert arrived == pytest.approx(1000, abs=4 * 32)


def test_a_pool_takes_its_processes_share_of_the_rate():
    node = FakeNode(3, servers=3, clients=2)
    workload = Writes(clients=4, rate=100.0)
    Client(node, settings_for(workload)).start()
    half = FakeNode(3, servers=3, clients=2)
    Client(half, settings_for(workload, index=1, pools=2)).start()
    assert half.timers["arrival"] == pytest.approx(2 * node.timers["arrival"], abs=2)


def test_an_arrival_waits_for_a_free_process_and_keeps_its_intended_time():
    """No coordinated omission: latency counts from the intended time, the checker's interval from the send."""
    client, node = pool(1, rate=100.0)
    for _ in range(3):
        node.fire(client, "arrival")
    intended = [node.emitted(Invoke)[0].intended_ns, *client.backlog]
    assert len(intended) == 3
    node.clock_ns += 100 * MS
    tell(client, 1, ok(0, 1))
    tell(client, 1, ok(0, 2))
    assert [event.intended_ns for event in node.emitted(Invoke)] == intended


def test_an_arrival_that_waits_longer_than_the_time_out_is_abandoned():
    client, node = pool(1, rate=10.0)
    node.fire(client, "arrival")
    node.fire(client, "arrival")
    (waiting,) = client.backlog
    node.clock_ns = waiting + SECOND + 1
    tell(client, 1, ok(0, 1))
    assert node.emitted(Abandoned) == [Abandoned("writes", waiting)]


@given(st.integers(1, 3), st.floats(0.5, 40), st.integers(0, 2**16))
def test_every_arrival_is_invoked_or_abandoned(processes, rate, seed):
    """Else availability would be better than it was. The servers answer now and then, at random."""
    rng = random.Random(seed)
    node = FakeNode(3, servers=3, clients=1)
    node.random = lambda name: random.Random(f"{seed}/{name}")
    client, node = pool(processes, node=node, rate=rate)
    arrived = 0
    while node.timers and node.clock_ns < STOP_NS + 2 * SECOND:
        name = min(node.timers, key=lambda name: (node.timers[name], name))
        node.fire(client, name)
        arrived += name == "arrival" and node.clock_ns < STOP_NS
        for slot in client.slots:
            if slot.open is not None and rng.random() < 0.1:
                tell(client, 1, ok(slot.process, slot.serial))
    told = [event.intended_ns for event in node.emitted() if isinstance(event, Invoke | Abandoned)]
    assert len(told) == len(set(told)) == arrived
    assert client.backlog == []


# the whole state


@given(st.lists(st.integers(0, 4), max_size=15), st.sampled_from([None, 30.0]))
def test_restore_is_the_inverse_of_state(happenings, rate):
    client, node = pool(2, rate=rate)
    for what in happenings:
        opened = [slot for slot in client.slots if slot.open is not None]
        if what < 3 and opened:
            slot = opened[what % len(opened)]
            answers = [ok(slot.process, slot.serial, 5), Redirect(slot.process, slot.serial, None)]
            answers.append(Reply(slot.process, slot.serial, "compare-failed", 3))
            tell(client, max(slot.target, 0), answers[what])
        elif node.timers:
            node.fire(client, min(node.timers, key=lambda name: (node.timers[name], name)))
    other = Client(FakeNode(3, servers=3, clients=1), client.settings)
    other.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(client.state()), strict=False))
    assert other.state() == client.state()
