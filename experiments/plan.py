"""A plan: one run of an experiment with every default filled in. `plan.json` in a run folder is one.

Spec -> plans: `experiments.spec` validates a file, `experiments.unfold` makes one plan for each variant, repeat and
seed. A plan says all that a fabric and the judges need; running it again repeats the run.
"""

from typing import Any, Literal

import msgspec

from cluster.latency import Profile

FORMAT = 1
RecordLevel = Literal["history", "events", "messages"]
""""history": operations, faults and roles; "events": all that nodes emit too; "messages": these too."""


class ClusterPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where the nodes are and what joins them."""

    regions: tuple[str, ...]  # the region of each server, in order of id
    latency: str | Profile  # by its name, or as the file spells it out
    inside_region_rtt_ns: int | None = None  # None: the profile's
    fsync_ns: int = 1_000_000  # modelled time of one fsync
    disk_throughput_bytes_s: int | None = None
    cpu_message_ns: int | None = None  # None: handling takes no time
    cpu_byte_ns: int = 0
    bandwidth_bits_s: int | None = None  # None: sending takes no time
    host_loss: Literal["fail", "stay_down", "restart"] = "fail"  # on the Ray fabric
    density: int = 1  # nodes an actor, on the Ray fabric


class PartPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A system or a workload by name, with all its settings (field -> value, times in ns)."""

    name: str
    settings: dict[str, Any]


class WorkloadPlan(PartPlan, frozen=True, kw_only=True):
    """A workload: what it is called in this experiment, its kind (`name`) and its settings."""

    called: str


class StepPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of the chaos schedule; see `chaos.schedule.Step`, whose fields these are."""

    fault: str | None = None  # its name in FAULTS, or path/to/file.py:ClassName; None: a block or a wait
    settings: dict[str, Any] = {}
    at_ns: int | None = None
    every_ns: int | None = None  # at every_ns, 2 * every_ns, ... while inside the run
    for_ns: int | None = None  # None: until the end of the run
    label: str = ""
    key: str = ""
    jitter_ns: int = 0
    count: int | None = None
    between_ns: int | None = None
    heal_ns: int | None = None
    when: str | None = None
    timeout_ns: int | None = None
    after: str | None = None
    until_ns: int | None = None
    until: str | None = None
    probability: float = 1.0
    repeat: int = 1
    max_affected: int | None = None
    sequence: tuple["StepPlan", ...] = ()
    together: tuple["StepPlan", ...] = ()
    wait_ns: int | None = None


class SteadyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that must be seen before chaos starts."""

    condition: str
    timeout_ns: int


class ClaimPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says, to be held against the median over the group's runs."""

    id: str
    says: str
    metric: str  # as an expectation would name it
    figure: str  # with its unit
    within: float = 0.1
    verdict: Literal["holds", "disagrees", "unjudged"] = "holds"  # what the file says that the measurement says
    because: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    format: int = FORMAT
    experiment: str
    description: str = ""
    variant: str | None = None
    matrix: dict[str, Any] = {}  # its place in the file's matrix: dotted path -> value as written
    params: dict[str, Any] = {}  # what this run sets apart from the file's base: dotted path -> value as written
    fabric: Literal["sim", "ray"] = "sim"
    seed: int
    duration_ns: int
    warm_up_ns: int = 0
    cluster: ClusterPlan
    system: PartPlan
    workloads: tuple[WorkloadPlan, ...]
    chaos: tuple[StepPlan, ...] = ()
    steady_state: SteadyPlan | None = None
    stop_when: tuple[str, ...] = ()  # conditions that end the run early
    left_out: tuple[str, ...] = ()  # faults of mixes that the system does not claim to survive
    check: tuple[str, ...] = ()  # names in CHECKERS
    check_options: dict[str, dict[str, Any]] = {}  # by checker, as the file gives them
    expect: tuple[str, ...] = ()  # lines that this run is judged by
    record: RecordLevel = "events"
    crash_points: Literal["all"] | None = None  # on the simulator: a run more for each disk write, with a crash there
    claims: tuple[ClaimPlan, ...] = ()
    group_expect: tuple[str, ...] = ()  # lines that compare variants or count runs: the whole group is judged by them


def encode(plan: Plan) -> bytes:
    """The plan as indented JSON, keys in a fixed order."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def decode(data: bytes) -> Plan:
    """Read a plan back. Raises msgspec.ValidationError if it isn't one, or is of a newer format."""
    plan = msgspec.json.decode(data, type=Plan)
    if plan.format > FORMAT:
        raise msgspec.ValidationError(f"format {plan.format} is newer than this splitbrain's ({FORMAT})")
    return plan
