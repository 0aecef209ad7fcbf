"""Spec -> plans: one for each variant and seed, every default filled in."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from actors.systems import SYSTEMS
from experiments import expect, schedule
from experiments.plan import ClaimPlan, ClusterPlan, PartPlan, Plan, WorkloadPlan
from experiments.spec import Point, Spec
from experiments.spec.models import ClusterFile, ExperimentFile, checks_of
from experiments.spec.parts import (
    NamedWorkload,
    chosen,
    latency_of,
    model_of,
    regions_of,
    settings_of,
    workloads_of,
)
from experiments.workloads import WORKLOADS

ALONE_UP_TO = 16  # nodes that get an actor each, on the Ray fabric


def unfold(spec: Spec, *, fabric: str) -> list[Plan]:
    """All plans of a file: the variants in their order, each with all seeds."""
    return [plan for point in spec.points for plan in _plans(point, fabric)]


def _plans(point: Point, fabric: str) -> Iterator[Plan]:
    file: ExperimentFile = point.file
    plan = Plan(
        experiment=file.name,
        description=file.description,
        variant=point.variant,
        matrix=point.matrix,
        params=point.params,
        fabric=fabric,  # type: ignore[arg-type]
        seed=0,
        duration_ns=file.duration,
        warm_up_ns=file.warm_up,
        cluster=cluster_plan(file.cluster),
        system=part_plan(file.system, {name: kind.settings_type for name, kind in SYSTEMS.items()}),
        workloads=tuple(map(workload_plan, workloads_of(file))),
        **schedule.planned(file, len(regions_of(file.cluster))),
        check=tuple(checks_of(file)),
        check_options={name: options for name, options in checks_of(file).items() if options},
        record=file.record,
        crash_points=file.crash_points,
        claims=tuple(ClaimPlan(**claim.model_dump()) for claim in file.claim),
        expect=tuple(_expectations(file.expect, point.variant, of_group=False)),
        group_expect=tuple(_expectations(file.expect, point.variant, of_group=True)),
    )
    for seed in seeds(file):
        yield msgspec.structs.replace(plan, seed=seed)


def seeds(file: ExperimentFile) -> tuple[int, ...]:
    """The seeds as listed, or counting up from the one given."""
    return file.seed if len(file.seed) > 1 else tuple(file.seed[0] + number for number in range(file.repeat))


def cluster_plan(cluster: ClusterFile) -> ClusterPlan:
    """The cluster with its profile, its regions and its density."""
    regions = regions_of(cluster)
    return ClusterPlan(
        regions=regions,
        latency=latency_of(cluster),
        inside_region_rtt_ns=cluster.inside_region,
        fsync_ns=cluster.fsync,
        disk_throughput_bytes_s=None if cluster.disk_throughput is None else max(1, round(cluster.disk_throughput)),
        cpu_message_ns=cluster.cpu.message if cluster.cpu else None,
        cpu_byte_ns=cluster.cpu.byte if cluster.cpu else 0,
        bandwidth_bits_s=None if cluster.bandwidth is None else max(1, round(cluster.bandwidth * 8)),
        host_loss=cluster.host_loss,
        density=cluster.density or math.ceil(len(regions) / ALONE_UP_TO),
    )


def part_plan(choice: Any, table: dict[str, Any]) -> PartPlan:
    """The system or workload that a file names."""
    (name,) = chosen(choice, table)
    return PartPlan(name=name, settings=msgspec.to_builtins(settings_of(table[name], model_of(choice, name))))


def workload_plan(workload: NamedWorkload) -> WorkloadPlan:
    """One workload."""
    settings = settings_of(WORKLOADS[workload.kind], workload.model)
    return WorkloadPlan(called=workload.called, name=workload.kind, settings=msgspec.to_builtins(settings))


def _expectations(lines: list[str], variant: str | None, *, of_group: bool) -> Iterator[str]:
    """The lines that speak of a run of this variant, or of the whole group."""
    for text in lines:
        line = expect.parse(text)
        if line.of_group == of_group and (of_group or not line.variants or variant in line.variants):
            yield text
