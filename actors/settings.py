"""Settings that an experiment file can name: plain frozen structs whose fields carry their unit.

A system, a workload and a fault each declare one `Settings` subclass. Inside, a time is an integer in nanoseconds
and its field ends in `_ns`; in a file the key goes without that ending and the value is a text with its unit
(`election_timeout: 1s..2s` fills `election_timeout_ns`). The markers below tell the file's reader which text to expect.
"""

from enum import Enum
from typing import Annotated, TypeAlias

import msgspec


class Unit(Enum):
    """What a value in an experiment file looks like."""

    DURATION = "a time such as 150ms or 2s"
    DURATION_RANGE = "a range of times such as 1s..2s, or one time"
    RATE = "a rate such as 200/s"
    SHARE = "a share such as 5%"
    SIZE = "a size such as 64KiB or 1MB"
    BANDWIDTH = "a bandwidth such as 1MB/s or 10Mbit/s"
    TARGET = "nodes: n1, leader, minority, random, random minority, a region, or a list of these"
    TARGET_PAIR = "two targets, such as [us-east-1, n3]"
    MIX = "shares by function such as {read: 50%, write: 50%}, 100% in all"
    HALVES = "random or regions"
    MUTANT = "the name of a mutant of this system"


DurationNs: TypeAlias = Annotated[int, Unit.DURATION]
DurationRangeNs: TypeAlias = Annotated[tuple[int, int], Unit.DURATION_RANGE]
Rate: TypeAlias = Annotated[float, Unit.RATE]  # per second
Size: TypeAlias = Annotated[int, Unit.SIZE]  # bytes
BytesPerSecond: TypeAlias = Annotated[float, Unit.BANDWIDTH]
Share: TypeAlias = Annotated[float, Unit.SHARE]  # 0..1
Target: TypeAlias = Annotated[tuple[str, ...], Unit.TARGET]  # words, resolved when the fault is injected
TargetPair: TypeAlias = Annotated[tuple[tuple[str, ...], tuple[str, ...]], Unit.TARGET_PAIR]
Halves: TypeAlias = Annotated[str, Unit.HALVES]
MutantName: TypeAlias = Annotated[str, Unit.MUTANT]

MS = 1_000_000
SECOND = 1_000_000_000


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file may set; every field has a default unless a file must say it."""

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong with these values together, as (field, sentence with a remedy); empty if all is well."""
        return []


def file_key(field: str) -> str:
    """The key in a file for a field's name: without the unit at its end, for the text carries one."""
    return field.removesuffix("_ns")
