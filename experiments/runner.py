"""From a plan to a run: build the actors and the chaos controller, let the fabric run them."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.client import Client, ClientSettings, Workload
from actors.message import Event
from actors.node import Actor
from actors.systems import CLIENTS, SYSTEMS
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from chaos.zoo import MUTANTS
from cluster.fabric import ActorSpec, DiskModel, FabricResult, Progress, Setup, load_fabric
from cluster.topology import Topology
from experiments.plan import Plan
from experiments.workloads import WORKLOADS


def run_plan(
    plan: Plan, folder: Path, *, watch: Callable[[Progress], None], address: str | None = None
) -> FabricResult:
    """Run a plan; what happens is journalled under `folder / "journal"`.

    Args:
        address: of a running Ray cluster, for the Ray fabric; None starts one on this machine.

    Raises: cluster.fabric.FabricError if the fabric failed.
    """
    setup = setup_of(plan, name=folder.name)
    steps = tuple(
        Step(step.fault, msgspec.convert(step.settings, FAULTS[step.fault]), step.at_ns, step.every_ns, step.for_ns)
        for step in plan.chaos
    )
    controller = Controller(steps, seed=plan.seed, duration_ns=plan.duration_ns)
    return load_fabric(plan.fabric)(setup, controller, folder, watch, address=address)


def setup_of(plan: Plan, *, name: str) -> Setup:
    """What the fabric needs to know of a plan."""
    kind = system_class(plan)
    server = ActorSpec(kind, msgspec.convert(plan.system.settings, kind.settings_type))
    workload = msgspec.convert(plan.workload.settings, WORKLOADS[plan.workload.name])
    topology = topology_of(plan)
    return Setup(
        name=name,
        seed=plan.seed,
        topology=topology,
        latency=plan.cluster.latency,
        inside_region_rtt_ns=plan.cluster.inside_region_rtt_ns,
        disk=DiskModel(fsync_ns=plan.cluster.fsync_ns),
        actors=(server,) * topology.server_count + client_pools(plan, workload, topology),
        duration_ns=plan.duration_ns,
        drain_ns=workload.timeout_ns,
        density=plan.cluster.density,
    )


def system_class(plan: Plan) -> type[Actor]:
    """The actor class of the plan's servers: the system's, or the mutant of it that the plan names."""
    mutant = plan.system.settings.get("mutant")
    return MUTANTS[plan.system.name][mutant] if mutant else SYSTEMS[plan.system.name]


def event_types(plan: Plan) -> tuple[type[Event], ...]:
    """The events that a run of this plan can record, besides the fabric's own."""
    return (*system_class(plan).events, *Client.events)


def topology_of(plan: Plan) -> Topology:
    """Servers as planned; one client node in each region, as far as there are clients for it."""
    regions = sorted(set(plan.cluster.regions), key=plan.cluster.regions.index)
    clients = msgspec.convert(plan.workload.settings, WORKLOADS[plan.workload.name]).clients
    return Topology((*plan.cluster.regions, *regions[:clients]), len(plan.cluster.regions))


def client_pools(plan: Plan, workload: Workload, topology: Topology) -> tuple[ActorSpec, ...]:
    """Deal the workload's client processes to its pools in turn."""
    pools = len(topology.clients)
    kind = CLIENTS.get(plan.system.name, Client)
    return tuple(
        ActorSpec(
            kind,
            ClientSettings(
                name=plan.workload.name,
                workload=workload,
                processes=tuple(range(pool, workload.clients, pools)),
                first_fresh=workload.clients,
                pool=pool,
                pools=pools,
                stop_after_ns=plan.duration_ns,
            ),
        )
        for pool in range(pools)
    )
