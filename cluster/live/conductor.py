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
from cluster.journal import NOBODY, Journal, NodeStopped, Traffic, event_union
from cluster.live.fleet import CALL_TIMEOUT_S, Berth, Fleet
from cluster.live.host import Ending
from cluster.live.host_plan import Home
from cluster.live.levers import LiveControl
from cluster.live.observer import COPY_HEADER
from cluster.live.parcel import Parcel, unpack
from cluster.live.placement import survey
from cluster.live.socket import Inbox, Waker, new_keys
from cluster.tally import COUNTED, Tally

HEAD_START_NS = 150_000_000  # between "all hosts are ready" and the run's first moment
MEASURE_CLOCKS_EVERY_NS = 5_000_000_000
COPIES_TIMEOUT_S = 5.0
LOOK_EVERY_NS = 100_000_000  # for hosts that died unasked


class Finish(NamedTuple):
    """What the conductor says in the end."""

    messages: int  # delivered, but for those in the last second of hosts that were killed
    start_s: float  # from the first process's start to the run's first moment
    memory_mb: float  # of all hosts
    lag_p99_ns: int  # of the host that was latest
    notes: tuple[str, ...]


class Conductor:
    """Runs a setup on hosts of its own."""

    def __init__(self, what: Parcel, folder: Path, *, apart: bool) -> None:
        setup: Setup
        director: Director
        setup, director = unpack(what)
        self.setup = setup
        self._director = director
        self._folder = folder
        keys = new_keys()
        ground = survey(setup)
        self._notes = list(ground.notes)
        home = Home(ray.util.get_node_ip_address(), ray.get_runtime_context().get_node_id(), apart)
        self._inbox = Inbox(zmq.Context(), keys, ground.ip or home.ip)
        self._waker = Waker()
        self._tally = Tally(setup.topology, setup.duration_ns)
        watches: tuple[type[Event], ...] | None = getattr(director, "watches", None)
        self._fleet = Fleet(
            setup,
            ground,
            folder=folder,
            keys=keys,
            home=home,
            observer=self._inbox.address,
            watched=None if watches is None else frozenset((*COUNTED, *watches)),
        )
        self._hosts = list(self._fleet.berths.values())
        self._control = LiveControl(setup, self._fleet, self._publish)
        self._lock = threading.RLock()  # over the journal and whoever observes
        self._over = threading.Event()
        self._stop_early = False
        self._delivered = 0  # messages, as far as the hosts have told
        self._copies: dict[str, int] = {}  # bytes of the journals that hosts elsewhere have sent
        self._clock_ns = 0  # when clocks elsewhere are to be measured next
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
        self._measure_clocks()
        endings = self._fleet.finish()
        self._await_copies(endings)
        self._fleet.end()
        self._journal.close()
        return Finish(
            messages=self._delivered + sum(ending.traffic.delivered for ending in endings.values()),
            start_s=(self.origin_ns - self._prepare_ns) / 1e9,
            memory_mb=sum(ending.memory_bytes for ending in endings.values()) / 1e6,
            lag_p99_ns=max((ending.traffic.lag_p99_ns for ending in endings.values()), default=0),
            notes=tuple(self._notes),
        )

    def _await_copies(self, endings: dict[str, Ending]) -> None:
        """Take in what is still on its way from hosts elsewhere: their journals go with them."""
        deadline_s = time.monotonic() + COPIES_TIMEOUT_S
        while True:
            self._observe()
            missing = [
                name for name, end in endings.items() if end.journal_bytes > self._copies.get(self._file(name), 0)
            ]
            if not missing:
                return
            if time.monotonic() > deadline_s:
                self._notes.append(f"the journals of {', '.join(missing)} did not arrive whole")
                return
            self._waker.wait(self._inbox, 0.1)

    def _file(self, host: str) -> str:
        """The journal file of a host's present process."""
        return f"{host}-{self._fleet.berths[host].life}.msgpack"

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
                if now_ns >= self._clock_ns:
                    self._measure_clocks()
                look_ns = now_ns + LOOK_EVERY_NS
            until_ns = min(end_ns, look_ns, end_ns if due_ns is None else due_ns)
            self._waker.wait(self._inbox, max(0.0, (until_ns - self._now_ns()) / 1e9))

    def _observe(self) -> None:
        """Take in what the hosts have journalled since; what a dead process said late changes nobody's mind."""
        while (copy := self._inbox.receive()) is not None:
            number, life, is_journal = COPY_HEADER.unpack_from(copy)
            berth, content = self._hosts[number], memoryview(copy)[COPY_HEADER.size :]
            if is_journal:
                self._keep_copy(f"{berth.name}-{life}.msgpack", content)
                continue
            lives = berth.life == life and berth.actor is not None
            for time_ns, node, event in self._decode(content):
                if isinstance(event, Traffic):
                    self._delivered += event.delivered
                elif lives:
                    self._tell(time_ns - self.origin_ns, node, event)

    def _keep_copy(self, name: str, content: memoryview) -> None:
        """Append to the journal of a host on another machine, byte for byte."""
        with (self._folder / "journal" / name).open("ab") as file:
            file.write(content)
        self._copies[name] = self._copies.get(name, 0) + len(content)

    def _measure_clocks(self) -> None:
        for clock in self._fleet.clocks.measure_again():
            self._publish(NOBODY, clock)
        self._clock_ns = self._now_ns() + MEASURE_CLOCKS_EVERY_NS

    def _look_for_dead(self) -> None:
        for berth, reason in self._fleet.ended_unasked():
            said = f"host {berth.name} ended though no fault had killed it: {reason}"
            clients_too = any(node >= self.setup.topology.server_count for node in berth.place.nodes)
            if self.setup.host_loss == "fail" or clients_too:
                self._fleet.fail(said)
                continue
            self._notes.append(said)
            gone = self._fleet.lose(berth)
            for node in gone:
                self._publish(node, NodeStopped(killed_process=True))
            if self.setup.host_loss == "restart":
                self._fleet.in_lanes(gone, self._replace, wait=False)

    def _replace(self, berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        self._fleet.replace(berth, nodes, lambda actor: self._control.prepare(actor, berth.place.nodes))

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
