"""From the settings that actors, workloads and faults declare to models that read them from a file.

A `Settings` field holds a number of nanoseconds or a share; its unit marker says which text a file must give.
One model serves the reading, the errors, the JSON Schema and the documentation.
"""

import types
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from actors.settings import Settings, Unit, file_key
from experiments.expect.grammar import MalformedExpectation, quantity
from experiments.spec import quantities
from experiments.spec.document import scalar
from experiments.spec.written import default_text, purposes


class FileModel(BaseModel):
    """What all models of the file share: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False, serialize_by_alias=True)


def reading(read: Callable[[Any], Any]) -> BeforeValidator:
    """Have a field's values read from the file by `read`, whose ValueError becomes the message."""

    def validate(value: Any) -> Any:
        try:
            return read(value)
        except ValueError as error:
            raise PydanticCustomError("unreadable", "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(validate)


def read_as(read: Callable[[Any], Any], schema: dict[str, Any]) -> Any:
    """A type that is read from the file by `read`."""
    return Annotated[Any, reading(read), WithJsonSchema(schema)]


def text_schema(pattern: str, example: str, description: str) -> dict[str, Any]:
    """The JSON Schema of a text with a unit."""
    return {"type": "string", "pattern": pattern, "examples": [example], "description": description}


def target(value: Any) -> tuple[str, ...]:
    """One word or a list of words that name nodes."""
    words = value if isinstance(value, list) else [value]
    if not words:
        raise ValueError("the list names nobody")
    for word in words:
        if not isinstance(word, str) or not word.strip():
            raise ValueError(f"{word!r} names no nodes; write {Unit.TARGET.value.removeprefix('nodes: ')}")
    return tuple(" ".join(word.split()) for word in words)


def target_pair(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two targets."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{value!r} is not two targets; write them as [us-east-1, n3]")
    return target(value[0]), target(value[1])


def mix(value: Any) -> dict[str, float]:
    """Shares by function that are 100% together."""
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{value!r} is no mix; write it as {{read: 50%, write: 50%}}")
    shares = {}
    for name, text in value.items():
        try:
            shares[name] = quantities.share(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"the shares are {sum(shares.values()):.4g} times 100% together, not 100%")
    return shares


def halves(value: Any) -> str:
    """How to split the cluster."""
    if value not in ("random", "regions"):
        raise ValueError(f"{value!r} splits nothing; write random or regions")
    return str(value)


def name(value: Any) -> str:
    """A word that names something."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no name")
    return value


def seeds(value: Any) -> tuple[int, ...]:
    """One seed or several."""
    found = value if isinstance(value, list) else [value]
    if not found:
        raise ValueError("the list is empty; leave it out, or name a seed")
    for seed in found:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            raise ValueError(f"{seed!r} is no seed; a seed is a whole number from 0 on")
    if len(set(found)) < len(found):
        raise ValueError("a seed stands twice; the same seed gives the same run")
    return tuple(found)


def latency(value: Any) -> str | dict[str, dict[str, int]]:
    """A profile's name, or a matrix of round trips."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not all(isinstance(row, dict) and row for row in value.values()) or not value:
        raise ValueError(f"{value!r} is neither a profile nor a matrix; write round trips as {{us: {{eu: 80ms}}}}")
    return {
        source: {target: quantities.duration_ns(text) for target, text in row.items()} for source, row in value.items()
    }


def figure(value: Any) -> str:
    """A number with or without a unit, as an expectation would have it."""
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    try:
        quantity(text)
    except MalformedExpectation as error:
        raise ValueError(f"{value!r} is no figure: {error}") from error
    return text


_NUMBER = r"([0-9]+(\.[0-9]+)?|\.[0-9]+)"
_TIME = _NUMBER + r" ?(ns|us|[\u00b5\u03bc]s|ms|s|m|min|h|d)"
_DURATION = rf"^{_TIME}$"
_SHARE = rf"^{_NUMBER} ?%$"
_TARGET = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "examples": ["leader"],
    "description": Unit.TARGET.value,
}

Duration: TypeAlias = Annotated[
    int,  # ns
    reading(quantities.duration_ns),
    WithJsonSchema(text_schema(_DURATION, "150ms", Unit.DURATION.value)),
]
Seeds: TypeAlias = Annotated[
    tuple[int, ...],
    reading(seeds),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "array", "items": {"type": "integer", "minimum": 0}}],
            "examples": [7],
        }
    ),
]
Bandwidth: TypeAlias = Annotated[
    float,  # bytes a second
    reading(quantities.bandwidth_bytes_s),
    WithJsonSchema(
        text_schema(
            r"^[0-9.]+ ?[kMGTKi]*(B|bit) ?/ ?(ms|s|min|h)$", "1Gbit/s", "a bandwidth such as 200MB/s or 1Gbit/s"
        )
    ),
]
Latency: TypeAlias = Annotated[
    str | dict[str, dict[str, int]],  # a profile's name, or round trips in ns from row to column
    reading(latency),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "additionalProperties": {"type": "string", "pattern": _DURATION},
                    },
                },
            ],
            "examples": ["aws-2025"],
            "description": "a latency profile, or round trips such as {us: {eu: 80ms}}",
        }
    ),
]
Share: TypeAlias = Annotated[
    float, reading(quantities.share), WithJsonSchema(text_schema(_SHARE, "5%", Unit.SHARE.value))
]
Figure: TypeAlias = Annotated[
    str,
    reading(figure),
    WithJsonSchema({"type": ["string", "number"], "examples": ["160ms"], "description": "a number with its unit"}),
]

UNIT_TYPES: dict[Unit, Any] = {
    Unit.DURATION: Duration,
    Unit.DURATION_RANGE: read_as(
        quantities.duration_range_ns,
        text_schema(rf"^{_TIME}( ?\.\. ?{_TIME})?$", "1s..2s", Unit.DURATION_RANGE.value),
    ),
    Unit.RATE: read_as(quantities.rate_s, text_schema(rf"^{_NUMBER} ?/ ?(ms|s|min|m|h|d)$", "200/s", Unit.RATE.value)),
    Unit.SHARE: Share,
    Unit.SIZE: read_as(quantities.size_bytes, text_schema(r"^[0-9.]+ ?[KMGTk]?i?B$", "64KiB", Unit.SIZE.value)),
    Unit.BANDWIDTH: read_as(
        quantities.bandwidth_bytes_s, text_schema(r"^[0-9.]+ ?[A-Za-z]+ ?/ ?s$", "1MB/s", Unit.BANDWIDTH.value)
    ),
    Unit.TARGET: read_as(target, _TARGET),
    Unit.TARGET_PAIR: read_as(target_pair, {"type": "array", "items": _TARGET, "minItems": 2, "maxItems": 2}),
    Unit.MIX: read_as(
        mix,
        {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": _SHARE},
            "description": Unit.MIX.value,
        },
    ),
    Unit.HALVES: read_as(halves, {"enum": ["random", "regions"]}),
    Unit.MUTANT: read_as(name, {"type": "string", "description": Unit.MUTANT.value}),
}


@cache
def settings_model(kind: type[Settings]) -> type[FileModel]:
    """The model of a Settings class: its fields under the keys that a file uses."""
    fields: dict[str, Any] = {}
    why = purposes(kind)
    for field in msgspec.structs.fields(kind):
        described = Field(
            alias=file_key(field.name),
            default=_default(field),
            description=why.get(field.name),
            json_schema_extra=_written_default(field),
        )
        fields[field.name] = (_type(field.type), described)
    return create_model(kind.__name__, __base__=FileModel, __doc__=kind.__doc__, **fields)


def _written_default(field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    """The default as a file would write it, for the schema; inside it is a number."""
    text = None if field.required else default_text(field)
    return {} if text in (None, "none") or text[:1] == "{" else {"default": scalar(text)}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """A field's default; `...` if a file must say it."""
    default: Any = ...
    if field.default is not msgspec.NODEFAULT:
        default = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if isinstance(default, Settings):
        kind = type(default)
        return settings_model(kind)()
    return list(default) if field.type is not Any and get_origin(field.type) is tuple else default


def _type(annotation: Any) -> Any:
    """The type that reads what a Settings field holds."""
    if get_origin(annotation) is Annotated:
        unit = next((mark for mark in annotation.__metadata__ if isinstance(mark, Unit)), None)
        return UNIT_TYPES[unit] if unit else _type(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return Union[tuple(_type(part) for part in get_args(annotation))]  # noqa: UP007 - built at run time
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return settings_model(annotation)
    if get_origin(annotation) is tuple and get_args(annotation)[1:] == (Ellipsis,):
        return list[_type(get_args(annotation)[0])]  # type: ignore[misc]
    if get_origin(annotation) is Literal or annotation in (int, bool, str, float, type(None)):
        return annotation
    raise TypeError(f"a settings field of type {annotation} can't be read from a file; give it a unit marker")
