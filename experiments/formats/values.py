"""Values of foreign histories as immutable ones: lists and sets become tuples, maps tuples of pairs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

SIMPLE = {int, str, float, bool, type(None), msgspec.UnsetType}
DEEPEST = 64  # lists in lists: real histories have 3


class TooDeep(ValueError):
    """A value is nested deeper than `DEEPEST`."""


def freeze(value: Any, depth: int = 0) -> Any:
    """An equal value that can't change. Raises TooDeep."""
    if type(value) in SIMPLE:
        return value
    if depth > DEEPEST:
        raise TooDeep(f"a value is nested deeper than {DEEPEST}")
    if isinstance(value, Mapping):
        return pairs((freeze(key, depth + 1), freeze(item, depth + 1)) for key, item in value.items())
    return tuple(freeze(item, depth + 1) for item in value)


def pairs(items: Iterable[tuple[Any, Any]]) -> tuple[tuple[Any, Any], ...]:
    """A map as a tuple of pairs, in an order that depends on its content alone."""
    return tuple(sorted(items, key=lambda pair: (str(type(pair[0])), repr(pair[0]))))


def frozen(values: Sequence[Any]) -> Sequence[Any]:
    """All values frozen; the sequence itself where nothing has to be done, which is the common case."""
    if set(map(type, values)) <= SIMPLE:
        return values
    return [freeze(value) for value in values]
