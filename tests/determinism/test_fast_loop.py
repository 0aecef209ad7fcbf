"""The two loops of the simulator, the readable one and the fast one, do the same, step by step."""

import msgspec
import pytest
from determinism.random_plans import plan_of
from msgspec.structs import replace

from benchmarks import load
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from cluster.cpu import CpuModel
from cluster.fabric import Setup
from cluster.journal import Entry, Journal
from cluster.nic import NicModel
from cluster.sim.fabric import run_loop
from cluster.sim.fast_loop import FastLoop
from cluster.sim.loop import SimLoop
from experiments.plan import Plan
from experiments.runner import setup_of


def controller(plan: Plan) -> Controller:
    steps = tuple(
        Step(step.fault, msgspec.convert(step.settings, FAULTS[step.fault]), step.at_ns, step.every_ns, step.for_ns)
        for step in plan.chaos
    )
    return Controller(steps, seed=plan.seed, duration_ns=plan.duration_ns)


def with_capacity(setup: Setup) -> Setup:
    """The setup; of every three one with a CPU model too, and one with CPU, NIC and disk."""
    cpu, nic = CpuModel(message_ns=100_000, byte_ns=500), NicModel(bandwidth_bits_s=10_000_000)
    if setup.seed % 3 == 1:
        return replace(setup, cpu=cpu)
    if setup.seed % 3 == 2:
        return replace(setup, cpu=cpu, nic=nic, disk=replace(setup.disk, throughput_bytes_s=1_000_000))
    return setup


def run(kind: type[SimLoop], plan: Plan) -> tuple[SimLoop, list[Entry]]:
    director, journal = controller(plan), Journal(None, host="sim", origin_ns=0)
    loop = kind(with_capacity(setup_of(plan, name="test")), journal, director)
    run_loop(loop, director, lambda _: None)
    journal.flush()
    return loop, journal.entries


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_both_loops_give_one_digest_one_journal_and_one_count(first: int) -> None:
    for number in range(first, first + 10):
        plan = plan_of(number)
        (plain, told), (fast, fast_told) = run(SimLoop, plan), run(FastLoop, plan)
        assert fast_told == told, number
        assert fast.hexdigest() == plain.hexdigest(), number
        assert fast.traffic() == plain.traffic(), number


def test_a_digest_does_not_depend_on_how_often_a_loop_is_stopped_on_its_way() -> None:
    def in_steps(kind: type[SimLoop], step_ns: int) -> str:
        loop = kind(load.ring(5), Journal(None, host="sim", origin_ns=0), load.Nobody())
        for node in range(5):
            loop.start(node)
        while loop.now_ns < 300_000_000:
            loop.run_until(loop.now_ns + step_ns, lambda _: None)
        return loop.hexdigest()

    digests = {
        in_steps(kind, step_ns) for kind in (SimLoop, FastLoop) for step_ns in (300_000_000, 100_000_000, 750_000)
    }
    assert len(digests) == 1
