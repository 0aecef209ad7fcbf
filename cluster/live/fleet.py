"""The fleet: all host processes of a run. It starts, kills and replaces them, and tells them what they are to do.

Whatever concerns one host is done in order, in a lane of that host's own: killing and restarting one never waits for
another. A node that crashes is dropped in its host's loop while others of that host run on; when the last one of
them crashes, the host's process is killed.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray

from actors.message import NodeId
from cluster.fabric import Setup
from cluster.live.cluster_start import last_line
from cluster.live.host import Ending, HostActor, Settled
from cluster.live.host_plan import Home, HostPlan
from cluster.live.observer import Watched
from cluster.live.offset import Clocks
from cluster.live.parcel import Parcel, pack
from cluster.live.placement import Ground, Place, options_of
from cluster.live.socket import Keys

START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 20.0


class Berth:
    """One host as the fleet knows it, over all of its processes."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        self.up: set[NodeId] = set()
        self.life = -1  # counts its processes: 0 is the first
        self.actor: Any = None  # None while it is down
        self.spare: Any = None  # while it is down: its next process, which has read nothing yet
        self.settled: Settled | None = None
        self.lost = False  # it ended unasked and stays down
        self.watch: Any = None  # ends when the process does
        self.lane = ThreadPoolExecutor(1, thread_name_prefix=name)


class Fleet:
    """Runs a setup's hosts."""

    def __init__(
        self,
        setup: Setup,
        ground: Ground,
        *,
        folder: Path,
        keys: Keys,
        home: Home,
        observer: str,
        watched: Watched,
    ) -> None:
        self.berths = {name: Berth(name, place) for name, place in ground.places.items()}
        self.berth_of = {node: berth for berth in self.berths.values() for node in berth.place.nodes}
        self.failure: str | None = None
        self._setup = setup
        self._parcel: Parcel = pack((setup, watched))
        self._ground = ground
        self._home = home
        self._folder = folder
        self._keys = keys
        self._observer = observer
        self.clocks = Clocks(keys)
        self._starts = dict.fromkeys(self.berth_of, 0)  # how often each node has been started
        self._lock = threading.RLock()  # over the berths' actors and addresses

    # all of them

    def start(self) -> None:
        """Start all hosts and make them known to each other. Raises RayError, GetTimeoutError among them."""
        for berth in self.berths.values():
            berth.spare = self._new_process(berth)
        for berth in self.berths.values():
            self._take_spare(berth, berth.place.nodes)
        self._tell_addresses()

    def begin(self, origin_ns: int) -> None:
        """Let all nodes start at this moment of the monotonic clock."""
        self.origin_ns = origin_ns
        for berth in self.berths.values():
            self.clocks.measure(berth.name, berth.settled.clock if berth.settled else None)
        begun = [berth.actor.begin.remote(self._origin_of(berth)) for berth in self.berths.values()]
        ray.get(begun, timeout=CALL_TIMEOUT_S)

    def _origin_of(self, berth: Berth) -> int:
        """The run's first moment by the clock of a host's machine."""
        return self.origin_ns + self.clocks.offset_ns(berth.name)

    def settle(self) -> None:
        """Wait until nothing is under way in any lane."""
        for berth in self.berths.values():
            berth.lane.submit(lambda: None).result(START_TIMEOUT_S)

    def finish(self) -> dict[str, Ending]:
        """End all loops in order. Gives what the hosts say in the end that could be asked."""
        for berth in self.berths.values():
            berth.lane.shutdown(wait=True)
        running = {berth.name: berth.actor for berth in self.berths.values() if berth.actor is not None}
        endings = {name: actor.finish.remote() for name, actor in running.items()}
        ray.wait(list(endings.values()), num_returns=len(endings), timeout=CALL_TIMEOUT_S) if endings else None
        told = {name: _answer(ending) for name, ending in endings.items()}
        return {name: answer for name, answer in told.items() if answer is not None}

    def end(self) -> None:
        """End all processes."""
        for berth in self.berths.values():
            for actor in (berth.actor, berth.spare):
                if actor is not None:
                    ray.kill(actor)

    # some of them

    def in_lanes(self, nodes: Iterable[NodeId], act: Callable[..., None], *, wait: bool) -> None:
        """Do something for each host of these nodes, as `act(berth, its share of the nodes)`, in that host's lane."""
        shares: dict[str, list[NodeId]] = {}
        for node in nodes:
            shares.setdefault(self.berth_of[node].name, []).append(node)
        done: list[Future[None]] = [
            self.berths[name].lane.submit(self._guarded, act, self.berths[name], tuple(share))
            for name, share in shares.items()
        ]
        for future in done if wait else ():
            future.result(CALL_TIMEOUT_S)

    def _guarded(self, act: Callable[..., None], berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        try:
            act(berth, nodes)
        except Exception as error:
            self.fail(f"host {berth.name}: {last_line(error)}")

    def fail(self, reason: str) -> None:
        """Remember the first thing that went wrong."""
        if self.failure is None:
            self.failure = reason

    def kill(self, berth: Berth) -> None:
        """Kill a host's process; nothing of it is asked. Its next process starts at once, since that takes a while."""
        with self._lock:
            actor, berth.actor, berth.settled, berth.watch = berth.actor, None, None, None
        ray.kill(actor)
        berth.up.clear()
        self.tell_all("disconnect", berth.name)
        berth.spare = self._new_process(berth)

    def lose(self, berth: Berth) -> tuple[NodeId, ...]:
        """A host's process has ended unasked, and the run goes on without it. Gives the nodes that went with it."""
        with self._lock:
            berth.actor, berth.settled, berth.watch = None, None, None
        gone = tuple(sorted(berth.up))
        berth.up.clear()
        berth.lost = True
        self.tell_all("disconnect", berth.name)
        return gone

    def replace(self, berth: Berth, nodes: tuple[NodeId, ...], prepare: Callable[[Any], None]) -> None:
        """Start a lost host anew, on any machine that can reach its disk."""
        berth.place = berth.place._replace(resources={})  # what offered its region may be gone with it
        berth.spare = self._new_process(berth)
        berth.lost = False
        self.revive(berth, nodes, prepare)

    def revive(self, berth: Berth, nodes: tuple[NodeId, ...], prepare: Callable[[Any], None]) -> None:
        """Start nodes in a new process on the old one's disk; `prepare` tells it what faults are in force."""
        self._take_spare(berth, nodes)
        self._tell_addresses()
        prepare(berth.actor)
        self.clocks.measure(berth.name, berth.settled.clock if berth.settled else None)
        ray.get(berth.actor.begin.remote(self._origin_of(berth)), timeout=CALL_TIMEOUT_S)

    def start_in(self, berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        """Start nodes in a host whose process runs."""
        berth.up.update(nodes)
        starts = {node: self._count_start(node) for node in nodes}
        ray.get(berth.actor.start_nodes.remote(starts), timeout=CALL_TIMEOUT_S)

    def _take_spare(self, berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        starts = {node: self._count_start(node) for node in nodes}
        actor, berth.spare = berth.spare, None
        settled = ray.get(actor.settle.remote(starts), timeout=START_TIMEOUT_S)
        with self._lock:
            berth.actor, berth.settled, berth.watch = actor, settled, actor.watch.remote()
        berth.up.update(nodes)

    def _count_start(self, node: NodeId) -> int:
        before = self._starts[node]
        self._starts[node] += 1
        return before

    def _new_process(self, berth: Berth) -> Any:
        berth.life += 1
        plan = HostPlan(
            name=berth.name,
            number=list(self.berths).index(berth.name),
            life=berth.life,
            folder=self._folder,
            keys=self._keys,
            home=self._home,
            ip=self._ground.ip,
        )
        options = HostActor.options(
            name=f"{self._setup.name}/{berth.name}-{berth.life}",
            num_cpus=0,
            max_restarts=0,
            max_concurrency=2,  # one call that waits for the end, one that acts
            **options_of(berth.place),
        )
        return options.remote(self._parcel, plan)

    def _tell_addresses(self) -> None:
        with self._lock:
            addresses = {berth.name: berth.settled.address for berth in self.berths.values() if berth.settled}
        host_of = {node: berth.name for node, berth in self.berth_of.items()}
        self.tell_all("connect", addresses, host_of, self._observer)

    # calls

    def tell_all(self, method: str, *arguments: Any) -> None:
        """Call a method of every host that is up, and wait for all answers."""
        self._tell(self.berths.values(), method, *arguments)

    def tell_hosts_of(self, nodes: Iterable[NodeId], method: str, *arguments: Any) -> None:
        """Call a method of these nodes' hosts, as far as they are up."""
        self._tell({self.berth_of[node].name: self.berth_of[node] for node in nodes}.values(), method, *arguments)

    def _tell(self, berths: Iterable[Berth], method: str, *arguments: Any) -> None:
        with self._lock:
            actors = [berth.actor for berth in berths if berth.actor is not None]
        answers = [getattr(actor, method).remote(*arguments) for actor in actors]
        if answers:
            ray.wait(answers, num_returns=len(answers), timeout=CALL_TIMEOUT_S)

    def ended_unasked(self) -> list[tuple[Berth, str]]:
        """Hosts whose process ended though nobody killed it, with the reason as far as it is known."""
        with self._lock:
            watched = [(berth, berth.watch) for berth in self.berths.values() if berth.watch is not None]
        watches = [watch for _, watch in watched]
        ended = set(ray.wait(watches, num_returns=len(watches), timeout=0)[0]) if watches else set()
        return [(berth, _reason(watch)) for berth, watch in watched if watch in ended and watch is berth.watch]


def _answer(reference: Any) -> Any:
    """What a host said; None if it failed."""
    try:
        return ray.get(reference, timeout=0.1)
    except ray.exceptions.RayError:
        return None


def _reason(watch: Any) -> str:
    try:
        ray.get(watch)
    except Exception as error:
        return last_line(error)
    return "its loop ended"
