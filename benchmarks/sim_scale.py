"""What size costs the simulator: nodes, their memory, and entries that wait on its heap."""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.message import Event, NodeId
from actors.protocols.gossip import Heard
from benchmarks import load
from cluster.fabric import Setup
from cluster.journal import Journal
from cluster.sim.fast_loop import FastLoop

NODES = 10_000
PAGE_BYTES = 4096
SIZES = (10, 100, 1_000, 10_000)
PENDING = (10, 100, 1_000, 10_000, 100_000)
MESSAGES = 100_000
BAR_AT_US = 0.1  # a block of a bar


class Spread(msgspec.Struct, frozen=True):
    """A rumour that has reached everyone."""

    wall_s: float
    messages: int
    memory_bytes: int  # that the simulation added to its process

    @property
    def us_message(self) -> float:
        return self.wall_s * 1e6 / self.messages


def node_figures(progress: Callable[[str], None]) -> dict[str, float]:
    """What a node costs in a gossip of NODES, until everyone knows: memory with its links, and time."""
    progress(f"gossip among {NODES:,} nodes")
    spread = in_fresh_process(NODES)
    return {
        "node_kb": spread.memory_bytes / NODES / 1000,
        "gossip_s": spread.wall_s,
        "nodes_in_a_minute": NODES * 60 / spread.wall_s,
    }


def scale(progress: Callable[[str], None]) -> dict[str, float]:
    """How the cost of a message grows with the nodes of a gossip, and with what waits on the heap of a ring."""
    found: dict[str, float] = {}
    for nodes in SIZES:
        spread = in_fresh_process(nodes)
        found[f"gossip_us_message_{nodes}_nodes"] = spread.us_message
        found[f"gossip_node_kb_{nodes}_nodes"] = spread.memory_bytes / nodes / 1000
        progress(f"{nodes:>8,} nodes    {spread.us_message:6.2f} us a message  {bar(spread.us_message)}")
    for pending in PENDING:
        cost_us = ring_us_message(pending)
        found[f"ring_us_message_{pending}_pending"] = cost_us
        progress(f"{pending:>8,} pending  {cost_us:6.2f} us a message  {bar(cost_us)}")
    return found


def bar(cost_us: float) -> str:
    """A cost as a bar."""
    return "\N{FULL BLOCK}" * round(cost_us / BAR_AT_US)


class Listener(load.Nobody):
    """Counts who has heard."""

    watches = (Heard,)

    def __init__(self) -> None:
        self.heard: set[NodeId] = set()

    def observe(self, node: NodeId, event: Event, time_ns: int) -> None:
        if type(event) is Heard:
            self.heard.add(node)


def in_fresh_process(nodes: int) -> Spread:
    """Memory is measured in a process that has done nothing before."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sim_scale", str(nodes)], check=True, capture_output=True, text=True
    )
    return msgspec.json.decode(done.stdout, type=Spread)


def spread_rumour(nodes: int) -> Spread:
    """Simulate a gossip from the start of all nodes until everyone knows."""
    setup, listener = load.gossip(nodes), Listener()
    with tempfile.TemporaryDirectory(prefix="splitbrain-bench-") as folder:
        with Journal(Path(folder) / "journal", host="bench", origin_ns=0) as journal:
            before, began_s = resident_bytes(), time.perf_counter()
            loop = started(setup, journal, listener)
            while len(listener.heard) < nodes:
                loop.run_until(loop.now_ns + 100_000_000, lambda _: None)
            wall_s = time.perf_counter() - began_s
        return Spread(wall_s, loop.delivered, max(0, resident_bytes() - before))


def ring_us_message(pending: int) -> float:
    """What a message of a ring of 10 costs while so many are on their way."""
    setup = load.ring(10, tokens=pending // 10)
    loop = started(setup, Journal(None, host="bench", origin_ns=0), load.Nobody())
    loop.run_until(1_000_000, lambda _: None)
    before, began_s = loop.delivered, time.perf_counter()
    while loop.delivered - before < MESSAGES:
        loop.run_until(loop.now_ns + max(10_000, 10**9 // pending), lambda _: None)
    return (time.perf_counter() - began_s) * 1e6 / (loop.delivered - before)


def started(setup: Setup, journal: Journal, director: load.Nobody) -> FastLoop:
    """A simulator whose nodes have started."""
    loop = FastLoop(setup, journal, director)
    for node in range(len(setup.actors)):
        loop.start(node)
    return loop


def resident_bytes() -> int:
    """The memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    print(msgspec.json.encode(spread_rumour(int(sys.argv[1]))).decode())
