"""The conductor: the Ray actor that starts a run's hosts, lets the chaos controller pull its levers, and watches.

It holds all handles, so that whatever ends it ends the hosts. A crash kills a host's process; a restart is a new one
that reads the old one's disk.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import ray
import zmq

from actors.message import Event, Message, NodeId
from cluster.ailment import Ailment
from cluster.control import Control, LinkRule
from cluster.fabric import Director, Progress, Setup
from cluster.journal import NOBODY, Journal, NodeStopped, Traffic, event_union
from cluster.live.cluster_start import last_line
from cluster.live.host import HostActor
from cluster.live.host_loop import HostPlan
from cluster.live.parcel import Parcel, pack, unpack
from cluster.live.placement import place
from cluster.live.socket import Inbox, Keys, Waker, new_keys
from cluster.tally import Tally

START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 20.0
HEAD_START_NS = 150_000_000  # between "all hosts are ready" and the run's first moment
LOOK_EVERY_S = 0.1  # for hosts that died unasked


class LiveControl(Control):
    """The levers over real hosts. Whatever concerns one host is done in order, by a thread of that host's own."""

    def __init__(self, conductor: "Conductor") -> None:
        super().__init__(conductor.setup.topology)
        self._conductor = conductor

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        self._conductor.tell_all("apply_rules", rules)

    def stop_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._conductor.on_hosts(nodes, self._conductor.kill_host)

    def is_starting(self, node: NodeId) -> bool:
        return self._conductor.is_starting(node)

    def start_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._conductor.starting.update(self._conductor.host_names(nodes))
        self._conductor.on_hosts(nodes, self._conductor.restart_host, wait=False)

    def pause_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._conductor.tell_hosts_of(nodes, "pause", nodes)

    def resume_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._conductor.tell_hosts_of(nodes, "resume", nodes)

    def apply_ailments(self, ailments: dict[NodeId, Ailment]) -> None:
        self._conductor.tell_hosts_of(tuple(ailments), "change_ailments", ailments)

    def deliver(self, nodes: tuple[NodeId, ...], message: Message) -> None:
        self._conductor.tell_hosts_of(nodes, "deliver", nodes, message)


class Conductor:
    """Runs a setup on hosts of its own."""

    def __init__(self, what: Parcel, folder: Path) -> None:
        setup: Setup
        director: Director
        setup, director = unpack(what)
        self.setup = setup
        self._director = director
        self._packed_setup = pack(setup)
        self._folder = folder
        self._keys: Keys = new_keys()
        self._inbox = Inbox(zmq.Context(), self._keys)
        self._waker = Waker()
        self._tally = Tally(setup.topology, setup.duration_ns)
        self._plans = {name: self._plan(name, nodes) for name, nodes in place(setup).items()}
        self._host_of = {node: name for name, plan in self._plans.items() for node in plan.nodes}
        self._hosts: dict[str, Any] = {}
        self._spares: dict[str, Any] = {}  # of hosts that are down: their next processes, which have read nothing yet
        self._addresses: dict[str, str] = {}
        self._watches: dict[str, Any] = {}
        self._lanes = {name: ThreadPoolExecutor(1, thread_name_prefix=name) for name in self._plans}
        self.starting: set[str] = set()  # hosts that were told to start and are not up yet
        self._lock = threading.RLock()  # over hosts, addresses, watches and the journal
        self._control = LiveControl(self)
        self._failure: str | None = None
        self._over = threading.Event()
        self._stop_early = False
        self._delivered = 0  # messages, as far as the hosts have told
        union: Any = event_union([event for spec in setup.actors for event in spec.kind.events])
        self._decode = msgspec.msgpack.Decoder(list[tuple[int, int, union]]).decode

    def _plan(self, name: str, nodes: tuple[NodeId, ...]) -> HostPlan:
        return HostPlan(name=name, nodes=nodes, incarnation=0, folder=self._folder, keys=self._keys)

    # what the driver calls

    def prepare(self) -> None:
        """Start all hosts and make them known to each other."""
        for name in self._plans:
            self._hosts[name] = self._new_host(name)
        for name, host in self._hosts.items():
            self._addresses[name], _ = ray.get(host.address.remote(), timeout=START_TIMEOUT_S)
            self._watches[name] = host.watch.remote()
        self._tell_addresses()

    def begin(self) -> None:
        """Let the run's first moment come soon, for all at once."""
        self.origin_ns = time.monotonic_ns() + HEAD_START_NS
        self._journal = Journal(
            self._folder / "journal" / "conductor.msgpack", host="conductor", origin_ns=self.origin_ns
        )
        ray.get([host.begin.remote(self.origin_ns) for host in self._hosts.values()], timeout=CALL_TIMEOUT_S)
        threading.Thread(target=self._conduct, name="conduct", daemon=True).start()

    def progress(self) -> tuple[Progress, bool, str | None]:
        """How far the run is, whether it is over, and why if it failed."""
        return self._tally.progress(max(0, self._now_ns())), self._over.is_set(), self._failure

    def finish(self) -> int:
        """End the run, early if need be: heal everything, close all journals, end all hosts.

        Returns: how many messages the hosts delivered, but for the last second of those that were killed.
        """
        self._stop_early = True
        self._waker.wake()
        self._over.wait(CALL_TIMEOUT_S)
        for lane in self._lanes.values():
            lane.shutdown(wait=True)
        endings = [host.finish.remote() for host in self._hosts.values()]
        ended, _ = ray.wait(endings, num_returns=len(endings), timeout=CALL_TIMEOUT_S)
        for host in (*self._hosts.values(), *self._spares.values()):
            ray.kill(host)
        self._journal.close()
        return self._delivered + sum(_delivered(ending) for ending in ended)

    # hosts

    def host_names(self, nodes: tuple[NodeId, ...]) -> tuple[str, ...]:
        """The hosts of these nodes."""
        return tuple(dict.fromkeys(self._host_of[node] for node in nodes))

    def is_starting(self, node: NodeId) -> bool:
        return self._host_of[node] in self.starting

    def on_hosts(self, nodes: tuple[NodeId, ...], act: Callable[[str], None], wait: bool = True) -> None:
        """Do something to each of these nodes' hosts, in that host's lane."""
        names = dict.fromkeys(self._host_of[node] for node in nodes)
        done: list[Future[None]] = [self._lanes[name].submit(self._guarded, act, name) for name in names]
        for future in done if wait else ():
            future.result(CALL_TIMEOUT_S)

    def _guarded(self, act: Callable[[str], None], name: str) -> None:
        try:
            act(name)
        except Exception as error:
            self._fail(f"host {name}: {error}")

    def kill_host(self, name: str) -> None:
        """Kill a host's process; nothing of it is asked."""
        with self._lock:
            self._watches.pop(name, None)
            self._addresses.pop(name, None)
            host = self._hosts.pop(name, None)
            if host is None:
                return
        ray.kill(host)
        for node in self._plans[name].nodes:
            self._publish(node, NodeStopped())
        self.tell_all("disconnect", name)
        plan = self._plans[name]
        self._plans[name] = msgspec.structs.replace(plan, incarnation=plan.incarnation + 1)
        self._spares[name] = self._new_host(name)  # it takes a second to start: do that while the node is to be down

    def restart_host(self, name: str) -> None:
        """A new process on the old one's disk, which comes back to the rules that are in force."""
        plan = self._plans[name]
        host = self._spares.pop(name)
        address, _ = ray.get(host.address.remote(), timeout=START_TIMEOUT_S)
        with self._lock:
            self._hosts[name], self._addresses[name] = host, address
            self._watches[name] = host.watch.remote()
            self._tell_addresses()
        host.apply_rules.remote(self._control.rules())
        host.change_ailments.remote({node: self._control.ailment(node) for node in plan.nodes})
        damages = {node: self._control.take_damage(node) for node in plan.nodes}
        ray.get(host.begin.remote(self.origin_ns, damages), timeout=CALL_TIMEOUT_S)
        host.pause.remote(tuple(node for node in plan.nodes if self._control.is_paused(node)))
        self.starting.discard(name)

    def _new_host(self, name: str) -> Any:
        plan = self._plans[name]
        options = HostActor.options(
            name=f"{self.setup.name}/{name}-{plan.incarnation}", num_cpus=0, max_restarts=0, max_concurrency=4
        )
        return options.remote(self._packed_setup, plan)

    def _tell_addresses(self) -> None:
        self.tell_all("connect", dict(self._addresses), self._host_of, self._inbox.address)

    def tell_all(self, method: str, *arguments: Any) -> None:
        """Call a method of every host that is up, and wait for all answers."""
        self._tell(list(self._hosts), method, *arguments)

    def tell_hosts_of(self, nodes: tuple[NodeId, ...], method: str, *arguments: Any) -> None:
        """Call a method of these nodes' hosts, as far as they are up."""
        self._tell(list(dict.fromkeys(self._host_of[node] for node in nodes)), method, *arguments)

    def _tell(self, names: list[str], method: str, *arguments: Any) -> None:
        with self._lock:
            hosts = [self._hosts[name] for name in names if name in self._hosts]
        answers = [getattr(host, method).remote(*arguments) for host in hosts]
        ray.wait(answers, num_returns=len(answers), timeout=CALL_TIMEOUT_S)

    # the run

    def _conduct(self) -> None:
        try:
            self._director.begin(self._control, lambda event: self._publish(NOBODY, event))
            self._run_until(self.setup.duration_ns, directed=True)
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
        try:
            self._director.finish(self._now_ns())
            self._await_restarts()
            end_ns = self._now_ns() + self.setup.drain_ns
            self._run_until(end_ns, directed=False)
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
        self._over.set()

    def _await_restarts(self) -> None:
        """What heals at the end is to have time to show: the drain counts from when all nodes are up."""
        for lane in self._lanes.values():
            lane.submit(lambda: None).result(START_TIMEOUT_S)

    def _run_until(self, end_ns: int, *, directed: bool) -> None:
        look_ns = 0
        while (now_ns := self._now_ns()) < end_ns and not self._stop_early and self._failure is None:
            self._observe()
            due_ns = self._director.due_ns() if directed else None
            if due_ns is not None and due_ns <= now_ns:
                self._director.advance(now_ns)
                if self._director.over:
                    return
            if now_ns >= look_ns:
                self._look_for_dead()
                look_ns = now_ns + int(LOOK_EVERY_S * 1e9)
            until_ns = min(end_ns, look_ns, end_ns if due_ns is None else due_ns)
            self._waker.wait(self._inbox, max(0.0, (until_ns - self._now_ns()) / 1e9))

    def _observe(self) -> None:
        while (copy := self._inbox.receive()) is not None:
            for time_ns, node, event in self._decode(copy):
                if isinstance(event, Traffic):
                    self._delivered += event.delivered
                    continue
                self._tally.observe(node, event)
                self._director.observe(node, event, time_ns - self.origin_ns)

    def _look_for_dead(self) -> None:
        with self._lock:
            watches = dict(self._watches)
        ended, _ = ray.wait(list(watches.values()), num_returns=len(watches), timeout=0)
        for name, watch in watches.items():
            if watch in ended and name in self._watches:
                try:
                    ray.get(watch)
                    reason = "its loop ended"
                except Exception as error:
                    reason = last_line(error)
                self._fail(f"host {name} ended though no fault had killed it: {reason}")

    def _publish(self, node: NodeId, event: Event) -> None:
        with self._lock:
            self._journal.write(time.monotonic_ns(), node, event)
            self._journal.flush()
        self._tally.observe(node, event)
        self._director.observe(node, event, self._now_ns())

    def _fail(self, reason: str) -> None:
        if self._failure is None:
            self._failure = reason

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self.origin_ns


def _delivered(ending: Any) -> int:
    """What a host says at its end that it delivered since it last told; nothing if it failed."""
    try:
        told: Traffic = ray.get(ending)
    except ray.exceptions.RayError:
        return 0
    return told.delivered


ConductorActor = ray.remote(Conductor)
