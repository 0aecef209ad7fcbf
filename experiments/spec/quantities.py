"""Texts with units, read exactly: times, ranges of times, rates, shares, sizes.

Each reader raises ValueError with a sentence that says what was found and what would be right.
"""

import re
from fractions import Fraction
from typing import Any

from experiments.near_words import did_you_mean

NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
BYTES = {
    "B": 1,
    "kB": 1_000,
    "KB": 1_000,
    "MB": 1_000_000,
    "GB": 1_000_000_000,
    "TB": 1_000_000_000_000,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
BITS = {"bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000}
LONGEST_NS = 366 * NS["d"]
MAX_RATE = 10_000_000.0  # a second
_NUMBER = r"(-?(?:[0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18}))"
_QUANTITY = re.compile(_NUMBER + r"\s?([A-Za-zµμ%]+)")
_RATE = re.compile(_NUMBER + r"\s?(?:([A-Za-z]+)\s?)?/\s?(ms|s|min|m|h|d)")
_GREEK_MU, _MICRO = "\u03bc", "\u00b5"  # they look the same; the table of units has the second


def duration_ns(text: Any) -> int:
    """A time such as 150ms or 2s, in ns."""
    number, unit = _split(text, NS, "a time such as 150ms or 2s")
    if number < 0:
        raise ValueError(f"{text} is negative; a time can't be")
    value = number * NS[unit]
    if value > LONGEST_NS:
        raise ValueError(f"{text} is longer than a year")
    return round(value)


def duration_range_ns(text: Any) -> tuple[int, int]:
    """A range such as 1s..2s, or one time, which is a range of no width; in ns."""
    if isinstance(text, str) and ".." in text:
        least, _, most = text.partition("..")
        return duration_ns(least.strip()), duration_ns(most.strip())
    if not isinstance(text, str):
        raise ValueError(f"{_shown(text)} is no range of times; write it as 1s..2s")
    value = duration_ns(text)
    return value, value


def rate_s(text: Any) -> float:
    """A rate such as 200/s, a second."""
    match = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or match[2]:
        hint = f"; did you mean {text}/s?" if _is_number(text) else ""
        raise ValueError(f"{_shown(text)} is no rate; write it as 200/s{hint}")
    value = Fraction(match[1]) * NS["s"] / NS[match[3]]
    if value < 0:
        raise ValueError(f"{text} is negative; a rate can't be")
    if value > MAX_RATE:
        raise ValueError(f"{text} is more than {MAX_RATE:,.0f}/s")
    return float(value)


def share(text: Any) -> float:
    """A share such as 5%, as 0..1."""
    match = _QUANTITY.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or match[2] != "%":
        hint = ""
        if _is_number(text) and 0 <= Fraction(str(text)) <= 1:
            hint = f"; did you mean {float(Fraction(str(text)) * 100):g}%?"
        raise ValueError(f"{_shown(text)} is no share; write it as 5%{hint}")
    value = Fraction(match[1]) / 100
    if not 0 <= value <= 1:
        raise ValueError(f"{text} lies outside 0%..100%")
    return float(value)


def size_bytes(text: Any) -> int:
    """A size such as 4KiB or 1MB, in bytes."""
    number, unit = _split(text, BYTES, "a size such as 4KiB or 1MB")
    if number < 0:
        raise ValueError(f"{text} is negative; a size can't be")
    return round(number * BYTES[unit])


def bandwidth_bytes_s(text: Any) -> float:
    """A bandwidth such as 200MB/s or 1Gbit/s, in bytes a second."""
    match = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    unit = match[2] if match else None
    if match is None or unit not in BYTES | BITS:
        raise ValueError(f"{_shown(text)} is no bandwidth; write it as 200MB/s or 1Gbit/s")
    scale = Fraction(BYTES[unit]) if unit in BYTES else Fraction(BITS[unit], 8)
    value = Fraction(match[1]) * scale * NS["s"] / NS[match[3]]
    if value <= 0:
        raise ValueError(f"{text} lets nothing through; a bandwidth must be above 0")
    return float(value)


def _split(text: Any, units: dict[str, int], wanted: str) -> tuple[Fraction, str]:
    """A number and its unit."""
    if not isinstance(text, str):
        unit = f"; it needs a unit: {text}{'s' if units is NS else next(iter(units))}?"
        raise ValueError(f"{_shown(text)} is not {wanted}{unit if _is_number(text) else ''}")
    match = _QUANTITY.fullmatch(text.strip().replace(_GREEK_MU, _MICRO))
    if match is None:
        hint = f"; it needs a unit, one of {', '.join(units)}" if _is_number(text) else ""
        clock = re.fullmatch(r"(\d{1,4}):(\d\d)", text.strip())
        if clock and units is NS:
            hint = f"; write {int(clock[1]) * 60 + int(clock[2])}s"
        raise ValueError(f"{_shown(text)} is not {wanted}{hint}")
    if match[2] not in units:
        raise ValueError(f"{_shown(text)}: there is no unit {match[2]!r} here; {did_you_mean(match[2], units)}")
    return Fraction(match[1]), match[2]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (
        isinstance(value, str) and re.fullmatch(_NUMBER, value.strip()) is not None
    )


def _shown(value: Any) -> str:
    """A value in a message, short enough to read."""
    text = repr(value) if isinstance(value, str) else "nothing" if value is None else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."
