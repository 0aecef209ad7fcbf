"""`splitbrain bench sim`: the simulator's speed, beside a bare heapq loop and SimPy that run the same handlers.

Everything is on: latency model, loss draws, digest, journal in a file. All loops run in turn, slice by slice, in this
process, timed by its own CPU time, which others on the machine disturb least; a figure in messages a second is the best
slice's, a ratio is the median of the slices' ratios, taken side by side.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

from actors.message import NodeId
from benchmarks import load, sim_scale
from benchmarks.heap_loop import HeapLoop
from cluster.cpu import CpuModel
from cluster.fabric import DiskModel, Setup
from cluster.journal import Journal
from cluster.sim.fast_loop import FastLoop
from cluster.sim.loop import SimLoop

SLICES = 40
SLICE = 4_000  # messages: short, so that now and then a slice is undisturbed
WARM_NS = 1_100_000_000  # by then the Raft's client has begun

BUSY = {"cpu": CpuModel(message_ns=20_000, byte_ns=10), "disk": DiskModel(fsync_ns=1_000_000)}
"""Servers at which a message takes 20 us and more, and an fsync 1 ms."""

Slice = Callable[[], int]
"""Delivers about SLICE messages; returns how many they were."""


class Rate(NamedTuple):
    """Messages a second of one loop, slice by slice."""

    slices: list[float]

    def best(self) -> float:
        return max(self.slices)

    def ratio_to(self, other: "Rate") -> float:
        return median(own / its for own, its in zip(self.slices, other.slices, strict=True))


class CheckedLoop(SimLoop):
    """A simulator that asserts an actor's invariants after each of its steps."""

    def handle(self, kind: int, node_id: NodeId, sender: int, what: object) -> bool:
        """See `Loop.handle`."""
        handled = super().handle(kind, node_id, sender, what)
        if handled and node_id in self.nodes:
            self.nodes[node_id].actor.check()
        return handled


def figures(progress: Callable[[str], None]) -> dict[str, float]:
    """Messages delivered a second on one core, shares of bare loops, and what a node costs."""
    found: dict[str, float] = {}
    with ExitStack() as files, tempfile.TemporaryDirectory(prefix="splitbrain-bench-") as name:
        folder = Path(name)

        def simulator(setup: Setup, kind: type[SimLoop] = FastLoop) -> Slice:
            path = folder / f"{len(list(folder.iterdir()))}.msgpack"
            return sim_slice(setup, kind, files.enter_context(Journal(path, host="bench", origin_ns=0)))

        ring = {"sim": simulator(load.ring(5)), "bare": heap_loop_slice(load.ring(5))}
        if find_spec("simpy") is None:
            progress("simpy is not installed (pip install 'splitbrain[bench]'): no ratio to it")
        else:
            from benchmarks.simpy_loop import CallbackLoop, SimpyLoop

            ring["simpy"] = slice_of(SimpyLoop(load.ring(5)).run)
            ring["simpy callbacks"] = slice_of(CallbackLoop(load.ring(5)).run)
        rates = side_by_side("ring", ring, progress)
        found |= _ring_figures(rates)
        raft = load.raft(5, window=8)
        rates = side_by_side("raft", {
            "sim": simulator(raft),
            "bare": heap_loop_slice(raft),
            "busy": simulator(load.raft(5, window=8, **BUSY)),
            "plain": simulator(raft, SimLoop),
            "checked": simulator(raft, CheckedLoop),
        }, progress)  # fmt: skip
        found |= _raft_figures(rates)
    return found | sim_scale.node_figures(progress)


def _ring_figures(rates: dict[str, Rate]) -> dict[str, float]:
    found = {
        "ring_messages_s": rates["sim"].best(),
        "ring_heap_loop_messages_s": rates["bare"].best(),
        "ring_ratio_to_heap_loop": rates["sim"].ratio_to(rates["bare"]),
    }
    if "simpy" in rates:
        found["ring_simpy_messages_s"] = rates["simpy"].best()
        found["ring_ratio_to_simpy"] = rates["sim"].ratio_to(rates["simpy"])
        found["ring_ratio_to_simpy_callbacks"] = rates["sim"].ratio_to(rates["simpy callbacks"])
    return found


def _raft_figures(rates: dict[str, Rate]) -> dict[str, float]:
    return {
        "raft_messages_s": rates["sim"].best(),
        "raft_heap_loop_messages_s": rates["bare"].best(),
        "raft_ratio_to_heap_loop": rates["sim"].ratio_to(rates["bare"]),
        "raft_busy_messages_s": rates["busy"].best(),
        "raft_busy_ratio_to_heap_loop": rates["busy"].ratio_to(rates["bare"]),
        "raft_checks_share": 1 - rates["checked"].ratio_to(rates["plain"]),  # of the time, if all steps are checked
    }


def side_by_side(name: str, slices: dict[str, Slice], progress: Callable[[str], None]) -> dict[str, Rate]:
    """Run all loops in turn, slice by slice."""
    rates: dict[str, Rate] = {loop: Rate([]) for loop in slices}
    for number in range(SLICES):
        if not number % 10:
            progress(f"{name}: slice {number + 1} of {SLICES}, {', '.join(slices)} in turn")
        for loop, run in slices.items():
            began_s = time.process_time()
            delivered = run()
            rates[loop].slices.append(delivered / (time.process_time() - began_s))
    return rates


def sim_slice(setup: Setup, kind: type[SimLoop], journal: Journal) -> Slice:
    """A simulator that has been running for a moment."""
    loop = kind(setup, journal, load.Nobody())
    for node in range(len(setup.actors)):
        loop.start(node)
    loop.run_until(WARM_NS, lambda _: None)
    before, began_ns = loop.delivered, loop.now_ns
    loop.run_until(began_ns + WARM_NS // 10, lambda _: None)
    step_ns = (loop.now_ns - began_ns) * SLICE // max(1, loop.delivered - before)

    def run() -> int:
        before = loop.delivered
        loop.run_until(loop.now_ns + step_ns, lambda _: None)
        return loop.delivered - before

    return run


def heap_loop_slice(setup: Setup) -> Slice:
    """The bare loop, which has been running for a moment."""
    loop = HeapLoop(setup)
    loop.run(SLICE)
    return slice_of(loop.run)


def slice_of(run: Callable[[int], int]) -> Slice:
    """A slice of a loop that delivers a number of messages."""
    return lambda: run(SLICE)
