"""Parts of a file as others need them: which choice was made, with which settings, and where nodes are."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from actors.settings import Settings
from chaos.fault import Fault
from chaos.faults import FAULTS
from cluster.latency import load_profile, profile_names
from experiments.spec.fields import FileModel
from experiments.spec.models import ClusterFile

S = TypeVar("S", bound=Settings)


def chosen(choice: FileModel, table: Iterable[str]) -> list[str]:
    """The names of the table that a file gives a value for."""
    return [name for name in table if getattr(choice, f"{name}_") is not None]


def model_of(choice: FileModel, name: str) -> FileModel:
    """What a file gives for a name of the table."""
    model: FileModel = getattr(choice, f"{name}_")
    return model


def settings_of(kind: type[S], model: FileModel) -> S:
    """The settings that a part of a file stands for."""
    return kind(**{field.name: getattr(model, field.name) for field in msgspec.structs.fields(kind)})


def step_fault(step: Any) -> Fault:
    """The fault of a step, which names exactly one."""
    (name,) = chosen(step, FAULTS)
    return settings_of(FAULTS[name], model_of(step, name))


def latency_name(cluster: ClusterFile) -> str:
    """The profile that a cluster uses: as named, else a LAN for nodes and measured trips for regions."""
    return cluster.latency or ("aws-2025" if cluster.regions else "lan")


def regions_of(cluster: ClusterFile) -> tuple[str, ...]:
    """The region of each server, in order of id; () where the file doesn't say it rightly."""
    if cluster.regions is not None:
        return tuple(region for region, count in cluster.regions.items() for _ in range(count))
    name = latency_name(cluster)
    if cluster.nodes is None or name not in profile_names():
        return ()
    return (load_profile(name).regions[0],) * cluster.nodes
