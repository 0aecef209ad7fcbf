"""`splitbrain bench sim`: the simulator's speed, beside a bare heapq loop that runs the same handlers.

Everything is on: latency model, loss draws, digest, journal of events. Runs of both are taken in turn, and the ratio is
the median of the pairs' ratios, so that a machine whose speed drifts does not decide.
"""

import time
from collections.abc import Callable
from statistics import median

from benchmarks import load
from benchmarks.heap_loop import HeapLoop
from cluster.fabric import Setup
from cluster.journal import Journal
from cluster.sim.fast_loop import FastLoop

MESSAGES = 200_000
PAIRS = 5


def figures(progress: Callable[[str], None]) -> dict[str, float]:
    """Messages delivered a second on one core, and as a share of the bare loop's."""
    found: dict[str, float] = {}
    for name, setup in (("ring", load.ring(5)), ("raft", load.raft(5, window=8))):
        pairs = []
        for number in range(PAIRS):
            progress(f"{name} {number + 1}/{PAIRS}")
            pairs.append((simulator_messages_s(setup), heap_loop_messages_s(setup)))
        found[f"{name}_messages_s"] = median(simulated for simulated, _ in pairs)
        found[f"{name}_heap_loop_messages_s"] = median(bare for _, bare in pairs)
        found[f"{name}_ratio_to_heap_loop"] = median(simulated / bare for simulated, bare in pairs)
    return found


def simulator_messages_s(setup: Setup) -> float:
    """Run the simulator until it has delivered MESSAGES."""
    director = load.Nobody()
    loop = FastLoop(setup, Journal(None, host="bench", origin_ns=0), director)
    for node in range(len(setup.actors)):
        loop.start(node)
    step_ns = 100_000_000
    began_s = time.perf_counter()
    while loop.delivered < MESSAGES:
        loop.run_until(loop.now_ns + step_ns, lambda _: None)
    loop.hexdigest()
    return loop.delivered / (time.perf_counter() - began_s)


def heap_loop_messages_s(setup: Setup) -> float:
    """Run the bare loop for as many messages."""
    loop = HeapLoop(setup)
    began_s = time.perf_counter()
    return loop.run(MESSAGES) / (time.perf_counter() - began_s)
