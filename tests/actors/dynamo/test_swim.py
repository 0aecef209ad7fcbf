"""SWIM and phi-accrual: who is dead is known by all within a bound, who lives is not expelled for good."""

from typing import Any

import pytest
from scenario import FakeNode, Run, Script, simulate, small_setup, tell

from actors.protocols.membership_gossip import ALIVE, DEAD, SUSPECT, HealthChanged, Rumour
from actors.protocols.swim import Ack, Ping, PingRequest, Swim, SwimSettings
from actors.settings import MS, SECOND
from actors.state.phi import Arrivals
from chaos.controller import Controller, Step
from chaos.faults.crash import Crash
from chaos.faults.loss import Loss
from chaos.faults.partition import Partition
from cluster.fabric import ActorSpec
from experiments.checkers.membership import detection_times_ns, membership

PERIOD_NS = 200 * MS
FAST = SwimSettings(probe_every_ns=PERIOD_NS, probe_timeout_ns=60 * MS)


def alone(servers: int = 5) -> tuple[Any, FakeNode]:
    node = FakeNode(0, servers=servers)
    actor = Swim(node, FAST)
    actor.start()
    node.forget()
    return actor, node


def run_swim(servers: int, steps: tuple[Step, ...] = (), *, duration_ns: int = 20 * SECOND, seed: int = 1) -> Run:
    setup = small_setup([ActorSpec(Swim, FAST)] * servers, seed=seed, duration_ns=duration_ns)
    return simulate(setup, Controller(steps, seed=seed, duration_ns=duration_ns))


# one node


def test_a_probe_that_nobody_answers_is_asked_for_by_others_and_then_suspected() -> None:
    actor, node = alone()
    node.fire(actor, "probe")
    ((target, _),) = node.sent(Ping)
    node.fire(actor, "probe_timeout")
    helpers = [to for to, request in node.sent(PingRequest) if request.target == target]
    assert len(helpers) == FAST.indirect
    assert target not in helpers
    node.fire(actor, "probe")
    assert actor.record_of(target).health == SUSPECT


@pytest.mark.parametrize("direct", [True, False])
def test_an_answer_by_either_way_clears_the_probe(direct: bool) -> None:
    actor, node = alone()
    node.fire(actor, "probe")
    target, ping = node.sent(Ping)[0]
    tell(actor, target if direct else (target % 4) + 1, Ack(ping.number, ()))
    node.fire(actor, "probe")
    assert actor.record_of(target).health == ALIVE


def test_a_helper_pings_under_a_number_of_its_own_and_passes_the_answer_on() -> None:
    actor, node = alone()
    tell(actor, 2, PingRequest(17, 3, ()))
    ((to, ping),) = node.sent(Ping)
    assert to == 3
    tell(actor, 3, Ack(ping.number, ()))
    assert [(to, ack.number) for to, ack in node.sent(Ack)] == [(2, 17)]


def test_a_node_denies_its_own_death_in_a_later_incarnation() -> None:
    actor, _ = alone()
    tell(actor, 1, Ping(1, (Rumour(0, 4, DEAD),)))
    assert (actor.record_of(0).incarnation, actor.record_of(0).health) == (5, ALIVE)


def test_a_denial_that_did_not_arrive_is_said_again() -> None:
    """Or two nodes that take each other for dead would do so for ever, once the rumours are spent."""
    actor, node = alone()
    tell(actor, 1, Ping(1, (Rumour(0, 4, DEAD),)))
    actor.spread.clear()
    node.forget()
    tell(actor, 1, Ping(2, (Rumour(0, 4, DEAD),)))
    assert any(rumour.node == 0 and rumour.incarnation == 5 for rumour in node.sent(Ack)[0][1].rumours)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (Rumour(3, 1, SUSPECT), Rumour(3, 1, ALIVE), Rumour(3, 1, SUSPECT)),
        (Rumour(3, 1, SUSPECT), Rumour(3, 2, ALIVE), Rumour(3, 2, ALIVE)),
        (Rumour(3, 1, SUSPECT), Rumour(3, 1, DEAD), Rumour(3, 1, DEAD)),
        (Rumour(3, 2, ALIVE), Rumour(3, 1, DEAD), Rumour(3, 2, ALIVE)),
    ],
)
def test_of_two_rumours_the_later_incarnation_counts_then_the_worse_health(first, second, kept) -> None:
    """SWIM §4.2."""
    actor, _ = alone()
    actor.hear((first,))
    actor.hear((second,))
    assert actor.record_of(3) == kept


# many nodes


def test_nobody_is_ever_suspected_where_nothing_fails() -> None:
    assert not any(
        isinstance(seen.event, HealthChanged) for seen in run_swim(20, duration_ns=5 * SECOND).recording.events
    )


def test_a_dead_node_is_known_to_all_within_swims_bound() -> None:
    """First detection e/(e-1) periods on average, then the suspicion time, then log n periods of gossip (§4)."""
    steps = (Step("crash", Crash(nodes=("random",)), 2 * SECOND, None, None),)
    run = run_swim(20, steps)
    waited = detection_times_ns(run.recording.events)
    suspicion_ns = FAST.suspicion_periods * (20).bit_length() * PERIOD_NS
    assert len(waited) == 19
    assert suspicion_ns <= max(waited) <= suspicion_ns + 12 * PERIOD_NS


def test_a_cluster_that_was_cut_in_two_comes_together_again() -> None:
    steps = (Step("partition", Partition(halves="random"), 2 * SECOND, None, 10 * SECOND),)
    run = run_swim(10, steps, duration_ns=24 * SECOND)
    assert any(isinstance(seen.event, HealthChanged) and seen.event.health == "dead" for seen in run.recording.events)
    recording = run.recording
    verdict = membership(recording.events, recording.faults, end_ns=recording.end_ns, topology=recording.topology)
    assert verdict.valid is True, verdict.reason


def test_under_loss_the_living_are_not_expelled_for_good() -> None:
    steps = (Step("loss", Loss(nodes=("all",), share=0.2), 0, None, 12 * SECOND),)
    recording = run_swim(10, steps, duration_ns=22 * SECOND).recording
    verdict = membership(recording.events, recording.faults, end_ns=recording.end_ns, topology=recording.topology)
    assert verdict.valid is not False, verdict.reason


def test_the_cost_of_a_node_does_not_grow_with_the_cluster() -> None:
    def messages_a_node(servers: int) -> float:
        return run_swim(servers, duration_ns=5 * SECOND).loop.sent / servers

    assert messages_a_node(10) > 0
    assert messages_a_node(60) < 1.2 * messages_a_node(10)


@pytest.mark.long
def test_a_thousand_nodes_know_of_a_death() -> None:
    steps = (Step("crash", Crash(nodes=("n500",)), 2 * SECOND, None, None),)
    run = run_swim(1000, steps, duration_ns=20 * SECOND)
    waited = detection_times_ns(run.recording.events)
    assert len(waited) == 999
    assert max(waited) <= (FAST.suspicion_periods * (1000).bit_length() + 30) * PERIOD_NS


def test_a_script_may_direct_it_too() -> None:
    """Two levers by hand in place of a schedule: a crash that heals leaves no scar."""
    setup = small_setup([ActorSpec(Swim, FAST)] * 5, duration_ns=20 * SECOND)
    heals: list[Any] = []
    script = Script(
        [(SECOND, lambda control: heals.append(control.crash((2,)))), (6 * SECOND, lambda _: heals.pop()())]
    )
    run = simulate(setup, script)
    assert all(run.actor(node).record_of(2).health == ALIVE for node in range(5))


# phi


def test_phi_grows_with_silence_in_units_of_the_usual_interval() -> None:
    """By the exponential distribution: silence of t intervals has chance exp(-t), so phi = t log10 e."""
    arrivals = Arrivals(0, [100])
    for beat in range(1, 60):
        arrivals.heard(beat * 100)
    assert arrivals.phi(59 * 100) == 0
    assert arrivals.phi(59 * 100 + 1000) == pytest.approx(10 * 0.4343, rel=1e-3)
