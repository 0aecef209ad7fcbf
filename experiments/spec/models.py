"""The experiment file as models: what may stand where, with its default.

Tables that grow (systems, workloads, faults) become models with one optional field a row, so that an unknown name is
an unknown key, wherever it stands.
"""

from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, create_model

from actors.systems import SYSTEMS
from experiments.plan import RecordLevel
from experiments.spec.fields import Bandwidth, Duration, Figure, FileModel, Latency, Seeds, Share, settings_model
from experiments.spec.schedule import MAX_STEPS, by_mix, chaos_model, step_model
from experiments.workloads import WORKLOADS

MAX_NODES = 10_000
MAX_REPEATS = 100_000
MAX_CLAIMS = 100
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
ONE, SEVERAL = "<one>", "<several>"  # parts of a path inside pydantic only


class CpuFile(FileModel):
    """What handling a message costs a server: its CPU serves one after another."""

    message: Duration = Field(description="for each message")
    byte: Duration = Field(default=0, description="for each byte of it, encoded", json_schema_extra={"default": "0s"})


class ClusterFile(FileModel):
    """Where the nodes are, and what joins them."""

    nodes: int | None = Field(default=None, ge=1, le=MAX_NODES, description="servers, all in one region")
    regions: dict[str, int] | None = Field(default=None, description="servers in each region; in place of nodes")
    latency: Latency | None = Field(
        default=None, description="a profile, or round trips {us: {eu: 80ms}}; else lan, or aws-2025 with regions"
    )
    inside_region: Duration | None = Field(default=None, description="round trip inside a region; else the profile's")
    fsync: Duration = Field(
        default=1_000_000,
        description="how long a disk takes to make a write durable",
        json_schema_extra={"default": "1ms"},
    )
    disk_throughput: Bandwidth | None = Field(default=None, description="a sync takes longer by what it writes")
    cpu: CpuFile | None = Field(default=None, description="what handling costs; without it, no time")
    bandwidth: Bandwidth | None = Field(default=None, description="of each server's network card; else without end")
    host_loss: Literal["fail", "stay_down", "restart"] = Field(
        default="fail", description="what the end of a host that no fault asked for means, on Ray"
    )
    density: int | None = Field(default=None, ge=1, description="nodes a Ray actor; 1 up to 16 nodes")


class ClaimFile(FileModel):
    """What a text says, held against what is measured."""

    id: str = Field(pattern=NAME, description="such as C19")
    says: str = Field(description="the text's statement, in short")
    metric: str = Field(description="what measures it, with labels; variant.metric where there are variants")
    figure: Figure = Field(description="the text's figure, with its unit")
    within: Share = Field(
        default=0.1,
        description="how far the measured median may be off, as a share of the figure",
        json_schema_extra={"default": "10%"},
    )
    verdict: Literal["holds", "disagrees", "unjudged"] = Field(
        default="holds", description="what the measurement says; if it says otherwise, the file is not ok"
    )
    because: str = Field(default="", description="why it disagrees")


class LinearizableFile(FileModel):
    """What the linearizability checker may be told."""

    model: str | None = Field(default=None, description="what to hold operations against; else the workload's model")


class CheckFile(FileModel):
    """A checker with options."""

    linearizable: LinearizableFile


CheckLine: TypeAlias = Annotated[
    Annotated[str, Tag(ONE)] | Annotated[CheckFile, Tag(SEVERAL)],
    Discriminator(lambda value: ONE if isinstance(value, str) else SEVERAL),
]


class ExperimentFile(FileModel):
    """What does not depend on the tables."""

    name: str = Field(pattern=NAME, description="letters, digits, dots, dashes")
    description: str = ""
    cluster: ClusterFile
    system: Any
    workload: Any
    duration: Duration
    warm_up: Duration = Field(
        default=0,
        description="operations meant to start earlier are left out of metrics",
        json_schema_extra={"default": "0s"},
    )
    seed: Seeds = Field(
        default=(1,),
        description="the first run's seed, or a list with one for each run",
        json_schema_extra={"default": 1},
    )
    repeat: int = Field(default=1, ge=1, le=MAX_REPEATS, description="runs, with seeds that count up")
    chaos: Any = Field(default=[])
    check: list[CheckLine] = Field(default=[], description="checkers that must find the run valid")
    expect: list[str] = Field(default=[], description="such as: availability >= 95%")
    crash_points: Literal["all"] | None = Field(
        default=None, description="all: run it again for each disk write, crash there, and judge each of these runs"
    )
    record: RecordLevel = Field(default="events", description="how much is recorded; each includes those before")
    claim: list[ClaimFile] = Field(default=[], max_length=MAX_CLAIMS, description="what a text claims")


@cache
def file_model() -> type[ExperimentFile]:
    """The model of the whole file, with the systems, workloads and faults that there are."""
    step = step_model()
    system = _one_of("System", {name: settings_model(kind.settings_type) for name, kind in SYSTEMS.items()})
    kinds = {name: settings_model(kind) for name, kind in WORKLOADS.items()}
    workload = _one_of("Workload", kinds)
    named: Any = _one_of("NamedWorkload", kinds, {"name": (str | None, Field(default=None, pattern=NAME))})
    one: Any = Annotated[_by_name(workload), Tag(ONE)]
    several: Any = Annotated[list[named], Tag(SEVERAL)]
    by_shape = Discriminator(lambda value: SEVERAL if isinstance(value, list) else ONE)
    workloads: Any = Annotated[one | several, by_shape]
    schedule: Any = Annotated[chaos_model(step), BeforeValidator(by_mix), Tag(ONE)]
    steps: Any = Annotated[list[step], Field(max_length=MAX_STEPS), Tag(SEVERAL)]  # type: ignore[valid-type]
    chaos: Any = Annotated[schedule | steps, by_shape]
    return create_model(
        "Experiment",
        __base__=ExperimentFile,
        system=(_by_name(system), Field(description="what runs on the servers: a name and its settings")),
        workload=(workloads, Field(description="what clients do: names and their settings, or a list of these")),
        chaos=(chaos, Field(default=[], description="what is broken, and when: steps, a named mix, or both and more")),
    )


def _one_of(name: str, choices: dict[str, type[FileModel]], more: dict[str, Any] | None = None) -> type[FileModel]:
    """A mapping with exactly one of these keys (checked later, with its place), and some more."""
    fields: dict[str, Any] = {}
    for choice, model in choices.items():
        annotation: Any = Annotated[model | None, BeforeValidator(_empty_for_nothing)]
        fields[f"{choice}_"] = (annotation, Field(default=None, alias=choice))
    return create_model(name, __base__=FileModel, **(more or {}), **fields)


def _by_name(model: type[FileModel]) -> Any:
    """The model, or just the name of a choice whose settings all have defaults: `system: raft`."""
    return Annotated[model, BeforeValidator(lambda value: {value: {}} if isinstance(value, str) else value)]


def checks_of(file: ExperimentFile) -> dict[str, dict[str, Any]]:
    """Checker -> its options, in the order of the file."""
    found: dict[str, dict[str, Any]] = {}
    for line in file.check:
        if isinstance(line, str):
            found.setdefault(line, {})
        else:
            found["linearizable"] = line.linearizable.model_dump(exclude_none=True)
    return found


def _empty_for_nothing(value: Any) -> Any:
    """`raft:` with nothing behind it is a raft with all its defaults."""
    return {} if value is None else value
