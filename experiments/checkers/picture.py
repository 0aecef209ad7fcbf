"""A few operations as a picture: a line each, time from left to right, as text or as SVG.

Times are not to scale: what is drawn is their order. An operation that never returned is open on the right.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

SHOWN = 28  # characters of a label
UNIT_PX, ROW_PX, MARGIN_PX = 8, 34, 16


class Bar(NamedTuple):
    """One operation; positions in characters from the left."""

    owner: str
    label: str
    begin: int
    end: int
    open: bool
    marked: bool


def text_picture(operations: Sequence[Mapping[str, Any]], stuck: int | None = None) -> str:
    """The operations as lines of text.

    Args:
        operations: as `facts_of` gives them: process, function, value, result, outcome, invoke_ns, return_ns,
            operation.
        stuck: the number of the one that can't be ordered, which is marked.
    """
    bars = laid_out(operations, stuck)
    width = max((len(bar.owner) for bar in bars), default=0)
    lines = []
    for bar in bars:
        inside = f" {bar.label} ".center(bar.end - bar.begin - 1, "-")
        drawn = f"|{inside}{'...' if bar.open else '|'}"
        mark = ">" if bar.marked else " "
        lines.append(f"{mark} {bar.owner.ljust(width)}  {' ' * bar.begin}{drawn}".rstrip())
    return "\n".join(lines)


def svg_picture(operations: Sequence[Mapping[str, Any]], stuck: int | None = None, *, title: str = "") -> str:
    """The same as an SVG document."""
    bars = laid_out(operations, stuck)
    left = MARGIN_PX + UNIT_PX * (max((len(bar.owner) for bar in bars), default=0) + 2)
    width = left + UNIT_PX * (max((bar.end for bar in bars), default=0) + 4) + MARGIN_PX
    height = 2 * MARGIN_PX + ROW_PX * (len(bars) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="monospace" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{MARGIN_PX}" y="{MARGIN_PX + 8}" font-weight="bold">{escape(title)}</text>',
    ]
    for number, bar in enumerate(bars, 1):
        parts += _bar(bar, left, MARGIN_PX + ROW_PX * number)
    return "\n".join([*parts, "</svg>", ""])


def _bar(bar: Bar, left: int, top: int) -> list[str]:
    begin, length = left + UNIT_PX * bar.begin, UNIT_PX * (bar.end - bar.begin)
    fill, line = ("#f8d0cc", "#c0392b") if bar.marked else ("#d6e6f5", "#2c6fa6")
    dashes = ' stroke-dasharray="4 3"' if bar.open else ""
    middle = top + 15
    return [
        f'<text x="{MARGIN_PX}" y="{middle}">{escape(bar.owner)}</text>',
        f'<rect x="{begin}" y="{top}" width="{length}" height="22" rx="3" fill="{fill}" stroke="{line}"{dashes}/>',
        f'<text x="{begin + length // 2}" y="{middle}" text-anchor="middle">{escape(bar.label)}</text>',
    ]


def laid_out(operations: Sequence[Mapping[str, Any]], stuck: int | None) -> list[Bar]:
    """A bar each, in order of invocation, wide enough for their labels and with ends in the order of their times."""
    ordered = sorted(operations, key=lambda one: one["invoke_ns"])
    last_ns = max((time for one in ordered for time in (one["invoke_ns"], one["return_ns"] or 0)), default=0)
    # At one moment operations begin before others end: intervals that touch are concurrent.
    marks = {(one["invoke_ns"], 0) for one in ordered} | {_end(one, last_ns) for one in ordered}
    labels = [label(one) for one in ordered]
    place: dict[tuple[int, int], int] = {}
    at = 0
    for mark in sorted(marks):
        for one, text in zip(ordered, labels, strict=True):
            if _end(one, last_ns) == mark and (one["invoke_ns"], 0) in place:
                at = max(at, place[one["invoke_ns"], 0] + len(text) + 5)
        place[mark] = at
        at += 2
    return [
        Bar(
            owner=f"process {one['process']}",
            label=text,
            begin=place[one["invoke_ns"], 0],
            end=place[_end(one, last_ns)],
            open=one["return_ns"] is None,
            marked=one["operation"] == stuck,
        )
        for one, text in zip(ordered, labels, strict=True)
    ]


def _end(one: Mapping[str, Any], last_ns: int) -> tuple[int, int]:
    return (last_ns + 1, 1) if one["return_ns"] is None else (one["return_ns"], 1)


def label(one: Mapping[str, Any]) -> str:
    """What an operation was asked and told, shortly."""
    value, result, outcome = one["value"], one["result"], one["outcome"]
    if outcome == "fail":
        told = f" {_short(value)} failed"
    elif outcome == "info" or one["return_ns"] is None:
        told = f" {_short(value)} ?" if value is not None else " ?"
    elif value is None or (result is not None and one["function"] in ("read", "get", "txn", "dequeue", "pop")):
        told = f" {_short(result)}"
    else:
        told = f" {_short(value)}"
    return f"{one['function']}{told}"


def _short(value: Any) -> str:
    text = "nil" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 :]}"
