"""A host: the Ray actor in which some of a run's nodes live. Ray's calls set it up; they carry no protocol message."""

import shutil
import threading
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import ray
import zmq

from actors.message import Message, NodeId
from cluster.ailment import Ailment
from cluster.control import LinkRule
from cluster.disk import Damage
from cluster.fabric import Setup
from cluster.journal import Traffic
from cluster.live.host_loop import HostLoop
from cluster.live.host_plan import HostPlan
from cluster.live.observer import Watched
from cluster.live.offset import ClockServer
from cluster.live.parcel import Parcel, unpack


class Settled(NamedTuple):
    """Where a host has come to live."""

    address: str  # for frames
    clock: str | None  # where its clock answers, if it is another machine's than the conductor's
    ray_node: str


class Ending(NamedTuple):
    """What a host says in the end."""

    traffic: Traffic  # of its last second
    memory_bytes: int  # of its process, shared pages counted in parts
    journal_bytes: int  # sent to the conductor, which can't read its journal


class Host:
    """Hosts a loop in a thread of its own, and passes commands to it."""

    def __init__(self, what: Parcel, plan: HostPlan) -> None:
        setup: Setup
        watched: Watched
        setup, watched = unpack(what)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        ip = plan.ip or ray.util.get_node_ip_address()
        self._ray_node = ray.get_runtime_context().get_node_id()
        home = plan.home
        self._far = (plan.ip is None and ip != home.ip) or (home.apart and self._ray_node != home.ray_node)
        self._loop = HostLoop(setup, plan, context, watched, ip=ip, far=self._far)
        self._clock = ClockServer(context, plan.keys, ip, time.monotonic_ns) if self._far else None

    def settle(self, starts: dict[NodeId, int]) -> Settled:
        """Learn which nodes to start, and how often each has been started before."""
        self._loop.starts = starts
        clock = None if self._clock is None else self._clock.address
        return Settled(self._loop.inbox.address, clock, self._ray_node)

    def connect(self, addresses: dict[str, str], host_of: dict[NodeId, str], observer: str) -> None:
        """Tell it where the others are."""
        self._loop.command(partial(self._loop.connect, addresses, host_of, observer))

    def disconnect(self, host: str) -> None:
        """Tell it that another host is gone."""
        self._loop.command(partial(self._loop.disconnect, host))

    def begin(self, origin_ns: int) -> None:
        """Start its nodes at this moment of the monotonic clock, at once if it is over."""
        threading.Thread(target=self._loop.run, args=(origin_ns,), name="loop", daemon=True).start()

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        self._loop.command(partial(self._loop.apply_rules, rules))

    def crash_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        """Drop some of its nodes; others run on."""
        for node in nodes:
            self._loop.command(partial(self._loop.crash, node))

    def start_nodes(self, starts: dict[NodeId, int]) -> None:
        """Start nodes that were dropped. `starts`: how often each has been started before."""
        for node, before in starts.items():
            self._loop.command(partial(self._loop.restart, node, before))

    def pause(self, nodes: tuple[NodeId, ...]) -> None:
        for node in nodes:
            self._loop.command(partial(self._loop.pause, node))

    def resume(self, nodes: tuple[NodeId, ...]) -> None:
        for node in nodes:
            self._loop.command(partial(self._loop.resume, node))

    def change_ailments(self, ailments: dict[NodeId, Ailment]) -> None:
        self._loop.command(partial(self._loop.change_ailments, ailments))

    def damage(self, damages: dict[NodeId, Damage]) -> None:
        """Have disks damaged before their nodes start the next time."""
        self._loop.command(partial(self._loop.damages.update, damages))

    def deliver(self, nodes: tuple[NodeId, ...], message: Message) -> None:
        """Hand a message to those of the nodes that live here, as if from nobody."""
        for node in nodes:
            self._loop.command(partial(self._loop.hand_if_here, node, message))

    def watch(self) -> None:
        """Return when the loop has ended. Raises what ended it, if it failed."""
        self._loop.over.wait()
        if self._loop.failure is not None:
            raise self._loop.failure

    def finish(self) -> Ending:
        """End the loop; its journal is complete when this returns."""
        memory_bytes = _memory_bytes()
        self._loop.command(self._loop.stop)
        self._loop.over.wait()
        if self._far:
            shutil.rmtree(self._loop.folder, ignore_errors=True)  # the conductor has it all
        return Ending(self._loop.last_traffic, memory_bytes, self._loop.observer.journal_bytes)


def _memory_bytes() -> int:
    """This process's share of the machine's memory; 0 where the system does not tell."""
    rollup = Path("/proc/self/smaps_rollup")
    lines = rollup.read_text().splitlines() if rollup.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


HostActor = ray.remote(Host)
