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
from cluster.live.host import Ending, HostActor
from cluster.live.host_loop import HostPlan, Watched
from cluster.live.parcel import Parcel, pack
from cluster.live.placement import Ground, Place
from cluster.live.socket import Keys

START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 20.0


class Home:
    """One host as the fleet knows it, over all of its processes."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        self.up: set[NodeId] = set()
        self.life = -1  # counts its processes: 0 is the first
        self.actor: Any = None  # None while it is down
        self.spare: Any = None  # while it is down: its next process, which has read nothing yet
        self.address: str | None = None
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
        observer: str,
        watched: Watched,
    ) -> None:
        self.homes = {name: Home(name, place) for name, place in ground.places.items()}
        self.home_of = {node: home for home in self.homes.values() for node in home.place.nodes}
        self.failure: str | None = None
        self._setup = setup
        self._parcel: Parcel = pack((setup, watched))
        self._ground = ground
        self._folder = folder
        self._keys = keys
        self._observer = observer
        self._starts = dict.fromkeys(self.home_of, 0)  # how often each node has been started
        self._lock = threading.RLock()  # over the homes' actors and addresses

    # all of them

    def start(self) -> None:
        """Start all hosts and make them known to each other. Raises RayError, GetTimeoutError among them."""
        for home in self.homes.values():
            home.spare = self._new_process(home)
        for home in self.homes.values():
            self._take_spare(home, home.place.nodes)
        self._tell_addresses()

    def begin(self, origin_ns: int) -> None:
        """Let all nodes start at this moment of the monotonic clock."""
        self.origin_ns = origin_ns
        ray.get([home.actor.begin.remote(origin_ns) for home in self.homes.values()], timeout=CALL_TIMEOUT_S)

    def settle(self) -> None:
        """Wait until nothing is under way in any lane."""
        for home in self.homes.values():
            home.lane.submit(lambda: None).result(START_TIMEOUT_S)

    def finish(self) -> list[Ending]:
        """End all hosts in order. Gives what those say in the end that could be asked."""
        for home in self.homes.values():
            home.lane.shutdown(wait=True)
        running = [home.actor for home in self.homes.values() if home.actor is not None]
        endings = [actor.finish.remote() for actor in running]
        ended, _ = ray.wait(endings, num_returns=len(endings), timeout=CALL_TIMEOUT_S) if endings else ([], [])
        told: list[Ending] = [answer for answer in map(_answer, ended) if answer is not None]
        for home in self.homes.values():
            for actor in (home.actor, home.spare):
                if actor is not None:
                    ray.kill(actor)
        return told

    # some of them

    def in_lanes(self, nodes: Iterable[NodeId], act: Callable[..., None], *, wait: bool) -> None:
        """Do something for each host of these nodes, as `act(home, its share of the nodes)`, in that host's lane."""
        shares: dict[str, list[NodeId]] = {}
        for node in nodes:
            shares.setdefault(self.home_of[node].name, []).append(node)
        done: list[Future[None]] = [
            self.homes[name].lane.submit(self._guarded, act, self.homes[name], tuple(share))
            for name, share in shares.items()
        ]
        for future in done if wait else ():
            future.result(CALL_TIMEOUT_S)

    def _guarded(self, act: Callable[..., None], home: Home, nodes: tuple[NodeId, ...]) -> None:
        try:
            act(home, nodes)
        except Exception as error:
            self.fail(f"host {home.name}: {last_line(error)}")

    def fail(self, reason: str) -> None:
        """Remember the first thing that went wrong."""
        if self.failure is None:
            self.failure = reason

    def kill(self, home: Home) -> None:
        """Kill a host's process; nothing of it is asked. Its next process starts at once, since that takes a while."""
        with self._lock:
            actor, home.actor, home.address, home.watch = home.actor, None, None, None
        ray.kill(actor)
        home.up.clear()
        self.tell_all("disconnect", home.name)
        home.spare = self._new_process(home)

    def revive(self, home: Home, nodes: tuple[NodeId, ...], prepare: Callable[[Any], None]) -> None:
        """Start nodes in a new process on the old one's disk; `prepare` tells it what faults are in force."""
        self._take_spare(home, nodes)
        self._tell_addresses()
        prepare(home.actor)
        ray.get(home.actor.begin.remote(self.origin_ns), timeout=CALL_TIMEOUT_S)

    def start_in(self, home: Home, nodes: tuple[NodeId, ...]) -> None:
        """Start nodes in a host whose process runs."""
        home.up.update(nodes)
        starts = {node: self._count_start(node) for node in nodes}
        ray.get(home.actor.start_nodes.remote(starts), timeout=CALL_TIMEOUT_S)

    def _take_spare(self, home: Home, nodes: tuple[NodeId, ...]) -> None:
        starts = {node: self._count_start(node) for node in nodes}
        actor, home.spare = home.spare, None
        address = ray.get(actor.settle.remote(starts), timeout=START_TIMEOUT_S)
        with self._lock:
            home.actor, home.address, home.watch = actor, address, actor.watch.remote()
        home.up.update(nodes)

    def _count_start(self, node: NodeId) -> int:
        before = self._starts[node]
        self._starts[node] += 1
        return before

    def _new_process(self, home: Home) -> Any:
        home.life += 1
        plan = HostPlan(
            name=home.name,
            number=list(self.homes).index(home.name),
            life=home.life,
            folder=self._folder,
            keys=self._keys,
            ip=self._ground.ip,
        )
        options = HostActor.options(
            name=f"{self._setup.name}/{home.name}-{home.life}",
            num_cpus=0,
            max_restarts=0,
            max_concurrency=2,  # one call that waits for the end, one that acts
            **home.place.options,
        )
        return options.remote(self._parcel, plan)

    def _tell_addresses(self) -> None:
        with self._lock:
            addresses = {home.name: home.address for home in self.homes.values() if home.address is not None}
        host_of = {node: home.name for node, home in self.home_of.items()}
        self.tell_all("connect", addresses, host_of, self._observer)

    # calls

    def tell_all(self, method: str, *arguments: Any) -> None:
        """Call a method of every host that is up, and wait for all answers."""
        self._tell(self.homes.values(), method, *arguments)

    def tell_hosts_of(self, nodes: Iterable[NodeId], method: str, *arguments: Any) -> None:
        """Call a method of these nodes' hosts, as far as they are up."""
        self._tell({self.home_of[node].name: self.home_of[node] for node in nodes}.values(), method, *arguments)

    def _tell(self, homes: Iterable[Home], method: str, *arguments: Any) -> None:
        with self._lock:
            actors = [home.actor for home in homes if home.actor is not None]
        answers = [getattr(actor, method).remote(*arguments) for actor in actors]
        if answers:
            ray.wait(answers, num_returns=len(answers), timeout=CALL_TIMEOUT_S)

    def ended_unasked(self) -> list[tuple[Home, str]]:
        """Hosts whose process ended though nobody killed it, with the reason as far as it is known."""
        with self._lock:
            watched = [(home, home.watch) for home in self.homes.values() if home.watch is not None]
        watches = [watch for _, watch in watched]
        ended = set(ray.wait(watches, num_returns=len(watches), timeout=0)[0]) if watches else set()
        return [(home, _reason(watch)) for home, watch in watched if watch in ended and watch is home.watch]


def _answer(reference: Any) -> Any:
    """What a host said; None if it failed."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayError:
        return None


def _reason(watch: Any) -> str:
    try:
        ray.get(watch)
    except Exception as error:
        return last_line(error)
    return "its loop ended"
