"""Parts of a file as others need them: which choice was made, with which settings, and where nodes are."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec

from actors.settings import Settings
from actors.systems import SYSTEMS
from chaos.fault import Fault
from chaos.faults import FAULTS
from chaos.user_fault import UserFault
from cluster.latency import Profile, profile_names, profile_of
from experiments.spec import mixes
from experiments.spec.fields import FileModel
from experiments.spec.models import MAX_NODES, ClusterFile, ExperimentFile
from experiments.workloads import WORKLOADS

INSIDE_REGION_RTT_MS = 0.5  # where a file writes its own round trips, and not this one
S = TypeVar("S", bound=Settings)


def chosen(choice: FileModel, table: Iterable[str]) -> list[str]:
    """The names of the table that a file gives a value for."""
    return [name for name in table if isinstance(getattr(choice, f"{name}_"), FileModel)]


def model_of(choice: FileModel, name: str) -> FileModel:
    """What a file gives for a name of the table."""
    model: FileModel = getattr(choice, f"{name}_")
    return model


def settings_of(kind: type[S], model: FileModel) -> S:
    """The settings that a part of a file stands for."""
    values = {field.name: getattr(model, field.name) for field in msgspec.structs.fields(kind)}
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return kind(**{name: _value(types[name], value) for name, value in values.items()})


def _value(annotation: Any, value: Any) -> Any:
    """A field's value, where it is settings of its own or a list of them."""
    if isinstance(value, FileModel):
        return settings_of(annotation, value)
    if isinstance(value, list):
        return tuple(_value(get_args(annotation)[0], item) for item in value)
    return value


class NamedWorkload(NamedTuple):
    """A workload of a file: what it is called, its kind, and the path of its settings."""

    called: str
    kind: str
    model: FileModel
    path: tuple[str | int, ...]


def workloads_of(file: ExperimentFile) -> list[NamedWorkload]:
    """The workloads of a file, in their order; those of a list may have names of their own."""
    if not isinstance(file.workload, list):
        names = chosen(file.workload, WORKLOADS)
        return [NamedWorkload(name, name, model_of(file.workload, name), ("workload", name)) for name in names]
    found = []
    for place, item in enumerate(file.workload):
        for name in chosen(item, WORKLOADS):
            path = ("workload", place, name)
            found.append(NamedWorkload(item.name or name, name, model_of(item, name), path))
    return found


class Schedule(NamedTuple):
    """The chaos of a file, however it is written."""

    steps: list[tuple[tuple[str | int, ...], Any]]  # (its path in the file, the step)
    steady: Any  # a SteadyFile, or None
    stop_when: list[str]
    left_out: list[str]  # faults of mixes that the system does not claim to survive


def schedule_of(file: ExperimentFile) -> Schedule:
    """The chaos of a file: its own steps, then those of its mixes. Raises LookupError for an unknown mix."""
    if isinstance(file.chaos, list):
        return Schedule([(("chaos", place), step) for place, step in enumerate(file.chaos)], None, [], [])
    steps: list[tuple[tuple[str | int, ...], Any]] = [
        (("chaos", "steps", place), step) for place, step in enumerate(file.chaos.steps)
    ]
    beyond = () if file.chaos.beyond_fault_model else beyond_model(file)
    left_out = []
    for name in file.chaos.mixes:
        for place, step in enumerate(mixes.load(name)):
            spared = [fault for fault in chosen(step, FAULTS) if fault in beyond]
            left_out += spared
            if not spared:
                steps.append((("chaos", name, place), step))
    return Schedule(steps, file.chaos.steady_state, file.chaos.stop_when, left_out)


def beyond_model(file: ExperimentFile) -> tuple[str, ...]:
    """The faults that the file's system does not claim to survive."""
    return tuple(fault for name in chosen(file.system, SYSTEMS) for fault in SYSTEMS[name].beyond_model)


def fault_of_step(step: Any) -> Fault:
    """The fault of a step. Raises NoSuchFault, msgspec.ValidationError for one of the user's that isn't there."""
    if step.fault is not None:
        return UserFault(place=step.fault, settings=step.with_ or {}).loaded
    return step_fault(step)


def step_fault(step: Any) -> Fault:
    """The fault of a step, which names exactly one."""
    (name,) = chosen(step, FAULTS)
    return settings_of(FAULTS[name], model_of(step, name))


def latency_of(cluster: ClusterFile) -> str | Profile:
    """The profile that a cluster uses: by name, else a LAN for nodes and measured trips for regions, or as written."""
    if isinstance(cluster.latency, dict):
        return written_profile(cluster.latency)
    return cluster.latency or ("aws-2025" if cluster.regions else "lan")


def written_profile(rtt_ns: dict[str, dict[str, int]]) -> Profile:
    """The profile of a file's own round trips. One direction stands for both where the other isn't written."""
    regions = tuple(dict.fromkeys((*rtt_ns, *(target for row in rtt_ns.values() for target in row))))
    rtt_ms: dict[str, dict[str, float]] = {region: {} for region in regions}
    for source, row in rtt_ns.items():
        for target, value_ns in row.items():
            rtt_ms[source][target] = value_ns / 1e6
            if source not in rtt_ns.get(target, {}):
                rtt_ms[target][source] = value_ns / 1e6
    return Profile(
        name="written",
        description="Round trips as the experiment file has them, without jitter.",
        source="the experiment file",
        date="",
        statistic="as written",
        inside_region_rtt_ms=INSIDE_REGION_RTT_MS,
        jitter_ms=0,
        jitter_inside_region_ms=0,
        regions=regions,
        rtt_ms=rtt_ms,
    )


def profile_in(cluster: ClusterFile) -> Profile | None:
    """The profile, if there is one of that name."""
    latency = latency_of(cluster)
    return None if isinstance(latency, str) and latency not in profile_names() else profile_of(latency)


def regions_of(cluster: ClusterFile) -> tuple[str, ...]:
    """The region of each server, in order of id; () where the file doesn't say it rightly."""
    if cluster.regions is not None:
        if sum(max(0, count) for count in cluster.regions.values()) > MAX_NODES:
            return ()
        return tuple(region for region, count in cluster.regions.items() for _ in range(count))
    profile = profile_in(cluster)
    return () if cluster.nodes is None or profile is None else (profile.regions[0],) * cluster.nodes
