"""Settings as a file would write them: the inverse of `quantities`, and what each setting is for.

What a setting is for stands behind it in its class, as a comment; documents and `explain` read it there.
"""

import inspect
import re
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from actors.settings import Settings, Unit, file_key

_SIZES = (("GiB", 1 << 30), ("GB", 10**9), ("MiB", 1 << 20), ("MB", 10**6), ("KiB", 1 << 10), ("kB", 10**3))
_TIMES = (("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 10**9), ("ms", 10**6), ("us", 10**3))
_FIELD = re.compile(r"^    (\w+): [^#]*?#\s*(.*)$")
_PLAIN = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def duration_text(value_ns: int) -> str:
    """A time as a file would write it, exactly."""
    for unit, size in _TIMES:
        if value_ns and value_ns % size == 0:
            return f"{value_ns // size}{unit}"
    return f"{value_ns}ns" if value_ns else "0s"


def size_text(value: int) -> str:
    """A size as a file would write it, exactly."""
    for unit, size in _SIZES:
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value}B"


def value_text(value: Any, annotation: Any) -> str:
    """A setting's value as a file would write it; "none" where it is left out."""
    unit = _unit(annotation)
    if isinstance(value, Settings):
        types = {field.name: field.type for field in msgspec.structs.fields(type(value))}
        inside = (f"{file_key(name)}: {value_text(getattr(value, name), types[name])}" for name in types)
        return "{" + ", ".join(inside) + "}"
    if value is None or value == ():
        return "none"
    match unit:
        case Unit.DURATION:
            return duration_text(value)
        case Unit.DURATION_RANGE:
            return f"{duration_text(value[0])}..{duration_text(value[1])}"
        case Unit.RATE:
            return f"{_decimal(value)}/s"
        case Unit.SIZE:
            return size_text(value)
        case Unit.BANDWIDTH:
            return f"{size_text(int(value))}/s"
        case Unit.SHARE:
            return f"{_decimal(value, 100)}%"
        case Unit.MIX:
            return "{" + ", ".join(f"{name}: {_decimal(share, 100)}%" for name, share in value.items()) + "}"
        case Unit.TARGET:
            return _words(value)
        case Unit.TARGET_PAIR:
            return f"[{', '.join(map(_words, value))}]"
        case _:
            return str(value).lower() if isinstance(value, bool) else str(value)


def _decimal(value: float, times: int = 1) -> str:
    """A number in decimal digits, exactly those that tell it from its neighbours."""
    digits = format(Decimal(repr(value)) * times, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _words(target: tuple[str, ...]) -> str:
    return target[0] if len(target) == 1 else f"[{', '.join(target)}]"


def wanted(annotation: Any) -> str:
    """What may stand there, in words."""
    unit = _unit(annotation)
    if unit is not None:
        return unit.value
    parts = [part for part in getattr(annotation, "__args__", ()) if part not in (type(None), Ellipsis)]
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if parts and all(isinstance(part, str) for part in parts):
        return " or ".join(parts)
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return "{" + ", ".join(file_key(name) for name in annotation.__struct_fields__) + "}"
    inner = " or ".join(map(wanted, parts))
    return f"a list of {inner}" if getattr(annotation, "__origin__", None) is tuple else inner


def default_text(field: msgspec.structs.FieldInfo) -> str:
    """A setting's default as a file would write it."""
    if field.required:
        return "must be said"
    factory = field.default_factory
    value = field.default if factory is msgspec.NODEFAULT else factory()
    return value_text(value, field.type)


@cache
def purposes(kind: type[Settings]) -> dict[str, str]:
    """What each setting is for: the comment behind it in its class, or in the class that it comes from."""
    found: dict[str, str] = {}
    for base in reversed([one for one in kind.__mro__ if issubclass(one, Settings)]):
        for line in inspect.getsource(base).splitlines():
            match = _FIELD.match(line)
            if match:
                found[match[1]] = match[2]
    return found


def _unit(annotation: Any) -> Unit | None:
    """The unit marker of an annotation, or of the one part of an optional one."""
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Unit):
            return mark
    parts = [part for part in getattr(annotation, "__args__", ()) if part is not type(None)]
    return _unit(parts[0]) if len(parts) == 1 and getattr(annotation, "__origin__", None) is not tuple else None
