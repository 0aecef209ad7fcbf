"""The schedule part of a file: what a step may say, as a model; `chaos.schedule` says what it means.

A step names exactly one fault, or a block of steps, or a wait. Steps stand inside steps: the model names itself.
"""

from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model

from chaos.faults import FAULTS
from experiments.spec import quantities
from experiments.spec.fields import Duration, FileModel, Share, read_as, reading, settings_model

MAX_STEPS = 10_000
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
BLOCKS = ("sequence", "together", "wait")
JITTER = "jitter"  # of `every` if it is a time, else the fault


class RandomTimes(FileModel):
    """When a step happens at random: exponential times, drawn from the seed."""

    between: Duration = Field(description="the mean time from a heal to the next injection")
    heal: Duration | None = Field(default=None, description="the mean time to the heal; in place of for")


def _until(value: Any) -> int | str | None:
    """A time, or else a condition (whose words are checked with its place)."""
    if isinstance(value, str) and not value[:1].isdigit():
        return " ".join(value.split())
    return None if value is None else quantities.duration_ns(value)


def _affected(value: Any) -> Any:
    if value is None or value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"{value!r} is no limit; write a number of servers, or all")


UNTIL: Any = read_as(_until, {"type": "string", "examples": ["30s", "leader changes"]})
AFFECTED: Any = read_as(_affected, {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["all"]}]})
TEXT = str | None
TIME: Any = Duration | None

STEP_KEYS: dict[str, Any] = {
    "name": (TEXT, Field(default=None, pattern=NAME, description="what other steps and the records call it")),
    "at": (TIME, Field(default=None, description="inject it once, at this time")),
    "every": (TIME, Field(default=None, description="inject it at this time and its multiples")),
    "count": (
        int | None,
        Field(default=None, ge=1, description="how often at most; with when: once if not said"),
    ),
    "random": (RandomTimes | None, Field(default=None, description="inject it at random times")),
    "when": (TEXT, Field(default=None, description="inject it when this becomes true: leader changes, term > 5, ...")),
    "timeout": (TIME, Field(default=None, description="with when: give up if it is not seen by then")),
    "after": (TEXT, Field(default=None, description="inject it whenever the step of this name has ended")),
    "for_": (TIME, Field(default=None, alias="for", description="heal it after this time; else at the end")),
    "until": (UNTIL, Field(default=None, description="heal it at this time of the run, or when this becomes true")),
    "probability": (Share | None, Field(default=None, description="that it happens at all, drawn each time")),
    "repeat": (int, Field(default=1, ge=1, le=100_000, description="how often in a row, each time")),
    "max_affected": (AFFECTED, Field(default=None, description="servers that may be down at once; else a minority")),
    "wait": (TIME, Field(default=None, description="do nothing for this long")),
    "fault": (TEXT, Field(default=None, description="a fault of your own: path/to/file.py:ClassName")),
    "with_": (dict[str, Any] | None, Field(default=None, alias="with", description="its settings")),
}


MORE_STEP_KEYS = {
    "jitter": ("a time such as 150ms or 2s", "jitter: 2s", "with every: put each time off by a drawn part of this"),
    "sequence": ("a list of steps", "sequence: [{wait: 1s}, {crash: {nodes: n1}, for: 2s}]", "one after another"),
    "together": ("a list of steps", "together: [{wait: 3s}, {pause: {nodes: n1}}]", "at once, to the last end"),
}
"""Key -> (what may stand there, example, purpose): what the model of a step adds to STEP_KEYS."""


@cache
def step_model() -> type[FileModel]:
    """The model of a step, with the faults that there are."""
    fields: dict[str, Any] = {}
    for name, kind in FAULTS.items():
        annotation: Any = Annotated[settings_model(kind) | None, BeforeValidator(_empty_for_nothing)]
        if name == JITTER:
            annotation = Annotated[settings_model(kind) | int | None, reading(_jitter)]
        fields[f"{name}_"] = (annotation, Field(default=None, alias=name))
    steps: Any = list["Step"] | None  # type: ignore[name-defined]  # noqa: F821 - itself
    for block, what in (("sequence", "steps one after another"), ("together", "steps at once")):
        fields[block] = (steps, Field(default=None, min_length=1, max_length=MAX_STEPS, description=what))
    model: type[FileModel] = create_model("Step", __base__=FileModel, **STEP_KEYS, **fields)
    model.model_rebuild(_types_namespace={"Step": model})
    return model


def _jitter(value: Any) -> Any:
    """A time: each time of `every` is put off by a drawn part of it. A mapping: the fault of that name."""
    return quantities.duration_ns(value) if isinstance(value, str) else _empty_for_nothing(value)


def jitter_of(step: Any) -> int | None:
    """By how much the times of `every` are put off at most, if the step says so."""
    value = getattr(step, f"{JITTER}_")
    return value if isinstance(value, int) else None


def _empty_for_nothing(value: Any) -> Any:
    return {} if value is None else value


def servers_of(limit: int | str | None, servers: int) -> int | None:
    """How many servers a `max_affected` means."""
    return servers if limit == "all" else limit if isinstance(limit, int) else None


class SteadyFile(FileModel):
    """What must be seen before chaos starts."""

    condition: str
    timeout: Duration = 10_000_000_000


def _steady(value: Any) -> Any:
    return {"condition": value} if isinstance(value, str) else value


def chaos_model(step: type[FileModel]) -> type[FileModel]:
    """The model of `chaos:` as a mapping: steps, mixes and what holds for all of them."""
    steps: Any = list[step]  # type: ignore[valid-type]
    return create_model(
        "Chaos",
        __base__=FileModel,
        steps=(steps, Field(default=[], max_length=MAX_STEPS, description="what is broken, and when")),
        mixes=(list[str], Field(default=[], description="named schedules, see chaos/mixes")),
        steady_state=(
            Annotated[SteadyFile | None, BeforeValidator(_steady)],
            Field(default=None, description="a condition that must be seen before chaos starts"),
        ),
        stop_when=(list[str], Field(default=[], description="conditions that end the run early, all healed")),
        beyond_fault_model=(bool, Field(default=False, description="keep what the system does not claim to tolerate")),
    )


@cache
def mix_model() -> type[FileModel]:
    """The model of a file in chaos/mixes."""
    steps: Any = list[step_model()]  # type: ignore[misc]
    return create_model("Mix", __base__=FileModel, description=(str, ...), steps=(steps, ...))


def by_mix(value: Any) -> Any:
    """The mapping, or just the name of a mix: `chaos: partitions`."""
    return {"mixes": [value]} if isinstance(value, str) else value
