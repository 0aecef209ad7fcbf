"""The conductor: the Ray actor that leads a run from its first moment to its last, with the chaos controller beside it.

It holds all handles of the run's hosts, so that whatever ends it ends them.
"""

import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import ray
import zmq

from actors.message import Event, NodeId
from cluster.fabric import Director, Progress, Setup
from cluster.journal import NOBODY, Journal, Traffic, event_union
from cluster.live.fleet import CALL_TIMEOUT_S, Fleet
from cluster.live.host_loop import COPY_HEADER
from cluster.live.levers import LiveControl
from cluster.live.parcel import Parcel, unpack
from cluster.live.placement import on_this_machine
from cluster.live.socket import Inbox, Waker, new_keys
from cluster.tally import COUNTED, Tally

HEAD_START_NS = 150_000_000  # between "all hosts are ready" and the run's first moment
LOOK_EVERY_NS = 100_000_000  # for hosts that died unasked


class Finish(NamedTuple):
    """What the conductor says in the end."""

    messages: int  # delivered, but for those in the last second of hosts that were killed
    start_s: float  # from the first process's start to the run's first moment
    memory_mb: float  # of all hosts


class Conductor:
    """Runs a setup on hosts of its own."""

    def __init__(self, what: Parcel, folder: Path) -> None:
        setup: Setup
        director: Director
        setup, director = unpack(what)
        self.setup = setup
        self._director = director
        self._folder = folder
        keys = new_keys()
        ground = on_this_machine(setup)
        self._inbox = Inbox(zmq.Context(), keys, ground.ip)
        self._waker = Waker()
        self._tally = Tally(setup.topology, setup.duration_ns)
        watches: tuple[type[Event], ...] | None = getattr(director, "watches", None)
        self._fleet = Fleet(
            setup,
            ground,
            folder=folder,
            keys=keys,
            observer=self._inbox.address,
            watched=None if watches is None else frozenset((*COUNTED, *watches)),
        )
        self._hosts = list(self._fleet.homes.values())
        self._control = LiveControl(setup.topology, self._fleet, self._publish)
        self._lock = threading.RLock()  # over the journal and whoever observes
        self._over = threading.Event()
        self._stop_early = False
        self._delivered = 0  # messages, as far as the hosts have told
        union: Any = event_union([event for spec in setup.actors for event in spec.kind.events])
        self._decode = msgspec.msgpack.Decoder(list[tuple[int, int, union]]).decode

    # what the driver calls

    def prepare(self) -> None:
        """Start all hosts and make them known to each other."""
        self._prepare_ns = time.monotonic_ns()
        self._fleet.start()

    def begin(self) -> None:
        """Let the run's first moment come soon, for all at once."""
        self.origin_ns = time.monotonic_ns() + HEAD_START_NS
        path = self._folder / "journal" / "conductor.msgpack"
        self._journal = Journal(path, host="conductor", origin_ns=self.origin_ns)
        self._fleet.begin(self.origin_ns)
        threading.Thread(target=self._conduct, name="conduct", daemon=True).start()

    def progress(self) -> tuple[Progress, bool, str | None]:
        """How far the run is, whether it is over, and why if it failed."""
        return self._tally.progress(max(0, self._now_ns())), self._over.is_set(), self._fleet.failure

    def finish(self) -> Finish:
        """End the run, early if need be: heal everything, close all journals, end all hosts."""
        self._stop_early = True
        self._waker.wake()
        self._over.wait(CALL_TIMEOUT_S)
        last = self._fleet.finish()
        self._observe()
        self._journal.close()
        return Finish(
            messages=self._delivered + sum(ending.traffic.delivered for ending in last),
            start_s=(self.origin_ns - self._prepare_ns) / 1e9,
            memory_mb=sum(ending.memory_bytes for ending in last) / 1e6,
        )

    # the run

    def _conduct(self) -> None:
        try:
            self._director.begin(self._control, lambda event: self._publish(NOBODY, event))
            self._run_until(self.setup.duration_ns, directed=True)
        except Exception as error:
            self._fleet.fail(f"{type(error).__name__}: {error}")
        try:
            self._director.finish(self._now_ns())
            self._fleet.settle()  # the drain counts from when all nodes are up again
            end_ns = self._now_ns() + self.setup.drain_ns
            self._run_until(end_ns, directed=False)
        except Exception as error:
            self._fleet.fail(f"{type(error).__name__}: {error}")
        self._over.set()

    def _run_until(self, end_ns: int, *, directed: bool) -> None:
        look_ns = 0
        while (now_ns := self._now_ns()) < end_ns and not self._stop_early and self._fleet.failure is None:
            self._observe()
            due_ns = self._director.due_ns() if directed else None
            if due_ns is not None and due_ns <= now_ns:
                self._director.advance(now_ns)
                if self._director.over:
                    return
            if now_ns >= look_ns:
                self._look_for_dead()
                look_ns = now_ns + LOOK_EVERY_NS
            until_ns = min(end_ns, look_ns, end_ns if due_ns is None else due_ns)
            self._waker.wait(self._inbox, max(0.0, (until_ns - self._now_ns()) / 1e9))

    def _observe(self) -> None:
        """Take in what the hosts have journalled since; what a dead process said late changes nobody's mind."""
        while (copy := self._inbox.receive()) is not None:
            number, life = COPY_HEADER.unpack_from(copy)
            home = self._hosts[number]
            lives = home.life == life and home.actor is not None
            for time_ns, node, event in self._decode(memoryview(copy)[COPY_HEADER.size :]):
                if isinstance(event, Traffic):
                    self._delivered += event.delivered
                elif lives:
                    self._tell(time_ns - self.origin_ns, node, event)

    def _look_for_dead(self) -> None:
        for home, reason in self._fleet.ended_unasked():
            self._fleet.fail(f"host {home.name} ended though no fault had killed it: {reason}")

    def _publish(self, node: NodeId, event: Event) -> None:
        with self._lock:
            self._journal.write(time.monotonic_ns(), node, event)
            self._journal.flush()
        self._tell(self._now_ns(), node, event)

    def _tell(self, time_ns: int, node: NodeId, event: Event) -> None:
        with self._lock:
            self._tally.observe(time_ns, node, event)
            self._director.observe(node, event, time_ns)

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self.origin_ns


ConductorActor = ray.remote(Conductor)
