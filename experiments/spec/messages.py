"""What pydantic finds, in our words."""

import types
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from experiments.near_words import did_you_mean
from experiments.spec.models import ONE, SEVERAL

WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def path_of(error: ErrorDetails) -> tuple[str | int, ...]:
    """Where in the file an error is."""
    return tuple(part for part in error["loc"] if part not in (ONE, SEVERAL))


def message_of(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One error as a sentence with a remedy."""
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    path = path_of(error)
    last = path[-1] if path else ""
    if kind == "unreadable":
        return str(context["reason"])
    if kind == "extra_forbidden" and str(last).isdecimal():
        return f"there is no entry {last}; entries count from 0"
    if kind == "extra_forbidden":
        return f"unknown key {last!r}; {did_you_mean(str(last), _keys_at(model, path[:-1]))}"
    if kind == "missing":
        return f"the key {last!r} is missing"
    if kind in WANTED:
        return f"{_shown(given)} is not {WANTED[kind]}{_hint(kind, given)}"
    if kind == "literal_error":
        words = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ",").split(",")]
        return f"{_shown(given)} is not one of {', '.join(words)}"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        return f"{given} is too {'small' if kind.startswith('greater') else 'large'}; the limit is {bound:,}"
    if kind == "too_long":
        return f"{context['actual_length']:,} entries; {context['max_length']:,} are allowed"
    if kind == "string_pattern_mismatch":
        return f"{_shown(given)} is no name; use letters, digits, dots and dashes, 80 at most"
    return error["msg"]


def _hint(kind: str, given: Any) -> str:
    """The mend for what YAML 1.1 would have read."""
    if kind == "bool_type" and isinstance(given, str) and given.lower() in ("yes", "on", "no", "off", "y", "n"):
        return f"; write {'true' if given.lower() in ('yes', 'on', 'y') else 'false'}"
    if kind == "list_type" and isinstance(given, dict) and given and all(map(str.isdecimal, given)):
        return f"; there is no entry {next(iter(given))}, entries count from 0"
    if kind == "int_type" and isinstance(given, str) and given.lstrip("+-0").isdecimal():
        return f"; write {int(given)}"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys that may stand at a path."""
    here: type[BaseModel] | None = model
    for part, following in pairwise([*path, None]):
        if here is not None and isinstance(part, str):
            fields = {field.alias or name: field.annotation for name, field in here.model_fields.items()}
            found = list(_models_in(fields.get(part)))
            here = next((one for one, listed in found if listed == isinstance(following, int)), None)
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


def _models_in(annotation: Any, *, listed: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models behind an annotation, be it optional or a choice; each with whether it stands in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, listed
    elif get_origin(annotation) in (Annotated, Union, types.UnionType, list):
        for part in get_args(annotation):
            yield from _models_in(part, listed=listed or get_origin(annotation) is list)
