"""From a plan to a run: build the actors and the chaos controller, let the fabric run them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.client import Client, ClientSettings
from actors.message import Event
from actors.node import Actor
from actors.systems import CLIENTS, SYSTEMS
from actors.workload import Workload
from chaos.controller import Controller
from chaos.zoo import MUTANTS
from cluster.cpu import CpuModel
from cluster.fabric import ActorSpec, DiskModel, FabricResult, Progress, Setup, load_fabric
from cluster.nic import NicModel
from cluster.topology import Topology
from experiments import schedule
from experiments.plan import ClusterPlan, Plan, WorkloadPlan
from experiments.workloads import WORKLOADS


def run_plan(
    plan: Plan, folder: Path, *, watch: Callable[[Progress], None], address: str | None = None, **options: Any
) -> FabricResult:
    """Run a plan; what happens is journalled under `folder / "journal"`.

    Args:
        address: of a running Ray cluster, for the Ray fabric; None starts one on this machine.
        options: what only one fabric knows of, such as the simulator's `trace`.

    Raises: cluster.fabric.FabricError if the fabric failed.
    """
    setup = setup_of(plan, name=folder.name)
    return load_fabric(plan.fabric)(setup, controller_of(plan), folder, watch, address=address, **options)


def controller_of(plan: Plan) -> Controller:
    """Who carries out the plan's chaos."""
    return Controller(
        schedule.steps_of(plan.chaos),
        seed=plan.seed,
        duration_ns=plan.duration_ns,
        steady=schedule.steady_of(plan),
        stop_when=plan.stop_when,
    )


def setup_of(plan: Plan, *, name: str) -> Setup:
    """What the fabric needs to know of a plan."""
    kind = system_class(plan)
    server = ActorSpec(kind, msgspec.convert(plan.system.settings, kind.settings_type))
    workloads = [workload_of(part) for part in plan.workloads]
    topology = topology_of(plan)
    return Setup(
        name=name,
        seed=plan.seed,
        topology=topology,
        latency=plan.cluster.latency,
        inside_region_rtt_ns=plan.cluster.inside_region_rtt_ns,
        disk=DiskModel(fsync_ns=plan.cluster.fsync_ns, throughput_bytes_s=plan.cluster.disk_throughput_bytes_s),
        cpu=cpu_of(plan.cluster),
        nic=None if plan.cluster.bandwidth_bits_s is None else NicModel(bandwidth_bits_s=plan.cluster.bandwidth_bits_s),
        actors=(server,) * topology.server_count + client_pools(plan),
        duration_ns=plan.duration_ns,
        drain_ns=max((workload.timeout_ns for workload in workloads), default=0),
        density=plan.cluster.density,
        host_loss=plan.cluster.host_loss,
        record=plan.record,
    )


def cpu_of(cluster: ClusterPlan) -> CpuModel | None:
    """The model of each server's CPU, if the plan has one."""
    if cluster.cpu_message_ns is None:
        return None
    return CpuModel(message_ns=cluster.cpu_message_ns, byte_ns=cluster.cpu_byte_ns)


def system_class(plan: Plan) -> type[Actor]:
    """The actor class of the plan's servers: the system's, or the mutant of it that the plan names."""
    mutant = plan.system.settings.get("mutant")
    return MUTANTS[plan.system.name][mutant] if mutant else SYSTEMS[plan.system.name]


def event_types(plan: Plan) -> tuple[type[Event], ...]:
    """The events that a run of this plan can record, besides the fabric's own."""
    return (*system_class(plan).events, *Client.events)


def workload_of(part: WorkloadPlan) -> Workload:
    """The settings of a planned workload."""
    return msgspec.convert(part.settings, WORKLOADS[part.name])


def models_of(plan: Plan) -> dict[str, str]:
    """Workload -> the model that its operations are held against: the file's, or its own."""
    asked = plan.check_options.get("linearizable", {}).get("model")
    return {part.called: asked or WORKLOADS[part.name].model for part in plan.workloads}


def topology_of(plan: Plan) -> Topology:
    """Servers as planned; then for each workload one client node in each region, as far as it has clients for it."""
    return Topology((*plan.cluster.regions, *(region for _, region in _pools(plan))), len(plan.cluster.regions))


def _pools(plan: Plan) -> list[tuple[int, str]]:
    """The client nodes in order: the place of the workload, and the region."""
    regions = list(dict.fromkeys(plan.cluster.regions))
    counts = [workload_of(part).clients for part in plan.workloads]
    return [(place, region) for place, clients in enumerate(counts) for region in regions[:clients]]


def client_pools(plan: Plan) -> tuple[ActorSpec, ...]:
    """Deal each workload's client processes to its client nodes in turn. Processes count up over all workloads."""
    workloads = [workload_of(part) for part in plan.workloads]
    pools = _pools(plan)
    first = [sum(workload.clients for workload in workloads[:place]) for place in range(len(workloads))]
    everybody = sum(workload.clients for workload in workloads)
    specs = []
    for number, (place, _) in enumerate(pools):
        mine = [pool for pool, (whose, _) in enumerate(pools) if whose == place]
        processes = range(mine.index(number), workloads[place].clients, len(mine))
        client = ClientSettings(
            name=plan.workloads[place].called,
            workload=workloads[place],
            processes=tuple(first[place] + process for process in processes),
            first_fresh=everybody,
            pool=number,
            pools=len(pools),
            stop_after_ns=plan.duration_ns,
            prefix=f"{plan.workloads[place].called}/" if len(workloads) > 1 else "",
        )
        specs.append(ActorSpec(CLIENTS.get(plan.system.name, Client), client))
    return tuple(specs)
