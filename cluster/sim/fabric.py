"""The simulator as a fabric. The same setup gives the same run, bit for bit."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from actors.message import Message, NodeId
from cluster.ailment import Ailment
from cluster.control import Control, LinkRule
from cluster.fabric import Director, FabricResult, Progress, Setup
from cluster.journal import Journal
from cluster.sim.fast_loop import FastLoop
from cluster.sim.loop import SimLoop
from cluster.sim.trace import Trace, TracedLoop


class SimControl(Control):
    """The levers of the simulator."""

    def __init__(self, loop: SimLoop) -> None:
        super().__init__(loop.setup.topology, loop.setup.density)
        self._loop = loop

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        self._loop.apply_rules(rules)

    def stop_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        for node in nodes:
            self._loop.crash(node)

    def start_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        for node in nodes:
            damage = self.take_damage(node)
            if damage is not None:
                self._loop.damages[node] = damage
            self._loop.start(node)
            if self.is_paused(node):
                self._loop.pause(node)

    def pause_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        for node in nodes:
            self._loop.pause(node)

    def resume_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        for node in nodes:
            self._loop.resume(node)

    def apply_ailments(self, ailments: dict[NodeId, Ailment]) -> None:
        self._loop.change_ailments(ailments)

    def deliver(self, nodes: tuple[NodeId, ...], message: Message) -> None:
        for node in nodes:
            self._loop.hand(node, message)


def run(
    setup: Setup,
    director: Director,
    folder: Path,
    watch: Callable[[Progress], None],
    *,
    trace: Path | None = None,
    **_: Any,
) -> FabricResult:
    """Simulate a setup to its end; see `cluster.fabric.Fabric`.

    Args:
        trace: a file to write every step and every call of a node to; see `cluster.sim.trace`.
    """
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    began_s = time.monotonic()
    with ExitStack() as files:
        path = folder / "journal" / "sim.msgpack"
        journal = files.enter_context(Journal(path, host="sim", origin_ns=0, record=setup.record))
        loop: SimLoop = FastLoop(setup, journal, director)
        if setup.record == "messages":
            loop = SimLoop(setup, journal, director)
            path = folder / "journal" / "sim-messages.msgpack"
            loop.messages_to = files.enter_context(Journal(path, host="sim", origin_ns=0))
        if trace is not None:
            loop = TracedLoop(setup, journal, director, trace=files.enter_context(Trace(trace)))
        interrupted = run_loop(loop, director, watch)
        digest = loop.hexdigest()
    return FabricResult(
        digest=digest,
        messages=loop.delivered,
        wall_s=time.monotonic() - began_s,
        virtual_s=loop.now_ns / 1e9,
        interrupted=interrupted,
    )


def run_loop(loop: SimLoop, director: Director, watch: Callable[[Progress], None]) -> bool:
    """Start all nodes and run them to the end of the setup. Returns whether it was interrupted."""
    setup, interrupted = loop.setup, False
    director.begin(SimControl(loop), loop.record)
    loop.schedule_director()
    for node in range(len(setup.topology.regions)):
        loop.start(node)
    with loop.interrupts:
        try:
            loop.run_until(setup.duration_ns, watch)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            director.finish(loop.now_ns)
        if not interrupted:
            try:
                loop.run_until(loop.now_ns + setup.drain_ns, watch)
                loop.interrupts.look()
            except KeyboardInterrupt:
                interrupted = True
    loop.tell_loads()
    loop.record(loop.traffic())
    return interrupted
