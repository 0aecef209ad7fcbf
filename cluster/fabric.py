"""A fabric runs nodes: what it is given, what it gives back, and which there are."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from actors.message import Event, NodeId
from actors.node import Actor
from actors.settings import Settings
from cluster.control import Control
from cluster.cpu import CpuModel
from cluster.latency import Profile
from cluster.nic import NicModel
from cluster.topology import Topology


class FabricError(Exception):
    """The fabric failed, not the experiment: it could not start, or lost a node unasked. Says why and what to do."""


class ActorSpec(msgspec.Struct, frozen=True):
    """The actor of one node: an importable class and its settings."""

    kind: type[Actor]
    settings: Settings


class DiskModel(msgspec.Struct, frozen=True, kw_only=True):
    """What every disk does unless a fault says otherwise."""

    fsync_ns: int  # from the start of a sync until its records are durable
    throughput_bytes_s: int | None = None  # a sync takes longer by what it writes; None: it does not
    real: bool = True  # on the Ray fabric: call fdatasync as well


HostLoss: TypeAlias = Literal["fail", "stay_down", "restart"]
"""The run fails; its nodes stay crashed; or they restart, elsewhere if need be, where their disk can be reached."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as a fabric needs it."""

    name: str  # of the run, for process and actor names
    seed: int
    topology: Topology
    latency: str | Profile  # by its name, or itself
    inside_region_rtt_ns: int | None
    disk: DiskModel
    cpu: CpuModel | None = None  # of each server; None: handling takes no time
    nic: NicModel | None = None  # of each server; None: sending takes no time
    actors: tuple[ActorSpec, ...]  # one a node, by id
    duration_ns: int  # the workload's end, when the controller heals everything
    drain_ns: int  # how long open operations may still end after that
    density: int = 1
    host_loss: HostLoss = "fail"  # what a host's end unasked means, on Ray
    record: str = "events"  # a level of `cluster.journal.KEPT`


class Director(Protocol):
    """Who breaks things while the nodes run: the chaos controller, or a test's script.

    A fabric calls `begin` once, `advance` when `due_ns` has come, `observe` for each event that nodes emit, and
    `finish` at the end, on an error and on an interrupt. It ends the run early once `over` is true. Times are ns since
    the start.

    A director that acts on few events names them in an attribute `watches`, a tuple of types; without one, or if it is
    None, it is told of every event, which a busy run on Ray pays for.
    """

    over: bool

    def begin(self, control: Control, record: Callable[[Event], None]) -> None: ...

    def due_ns(self) -> int | None: ...

    def advance(self, now_ns: int) -> None: ...

    def observe(self, node: NodeId, event: Event, time_ns: int) -> None: ...

    def finish(self, now_ns: int) -> None: ...


class Progress(msgspec.Struct, frozen=True):
    """How far a run is, for whoever watches."""

    now_ns: int
    duration_ns: int
    answered: int  # operations that ended well so far
    failed: int
    leader: str | None
    faults: tuple[str, ...]  # in words, those at work
    p50_ns: int | None = None  # of the operations that ended well so far, to within 1.6%
    p99_ns: int | None = None


class FabricResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a fabric says of a run; the rest stands in the journals."""

    digest: str | None
    messages: int
    wall_s: float
    virtual_s: float | None
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    too_small: bool = False  # the machine could not keep up: what the run says of performance says nothing
    start_s: float | None = None  # until all nodes ran, on Ray
    memory_mb: float | None = None  # of the hosts' processes at the end, on Ray


class Fabric(Protocol):
    """Run all nodes to the end and journal what happens under `folder / "journal"`.

    Raises FabricError. An interrupt (KeyboardInterrupt) ends the run early with `interrupted` set.
    """

    def __call__(
        self, setup: Setup, director: Director, folder: Path, watch: Callable[[Progress], None], **options: Any
    ) -> FabricResult: ...


SESSIONS = {"ray": "cluster.live.cluster_start:ray_cluster"}  # what several runs of a fabric can share
MAP_TASKS = "cluster.live.tasks:map_tasks"
FABRICS = {"sim": "cluster.sim.fabric:run", "ray": "cluster.live.fabric:run"}  # as texts: no ray at import


def load_fabric(name: str) -> Fabric:
    """The fabric of this name, imported now. Raises KeyError."""
    fabric: Fabric = _imported(FABRICS[name])
    return fabric


def fabric_session(name: str, address: str | None) -> AbstractContextManager[None]:
    """What several runs of a fabric can share, such as one Ray cluster. Raises FabricError if it can't be had."""
    if name not in SESSIONS:
        return nullcontext()
    session: AbstractContextManager[None] = _imported(SESSIONS[name])(address)
    return session


def map_function(
    function: Callable[[Any], Any], items: Sequence[Any], *, address: str | None
) -> Iterator[tuple[int, Any]]:
    """Apply a function to items over Ray's workers; see `cluster.live.tasks.map_tasks`."""
    tasks: Iterator[tuple[int, Any]] = _imported(MAP_TASKS)(function, items, address=address)
    return tasks


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
