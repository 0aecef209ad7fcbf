"""Keys that begin as English words do, for stores that are cut by key: get, put, and scans of one letter."""

import random
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, ClassVar

import msgspec

from actors.context_client import ContextWorkload
from actors.message import Value
from actors.settings import Unit
from actors.workload import Call
from experiments.workloads.register import pick

# Per mille of the words of running English text that begin with a to z; a table found in many texts on cryptography.
_SHARES = (117, 44, 52, 32, 28, 40, 16, 42, 73, 5, 5, 24, 38, 23, 76, 43, 2, 28, 67, 160, 12, 8, 55, 1, 8, 1)
FIRST_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", _SHARES, strict=True))
_BOUNDS = tuple(accumulate(FIRST_LETTERS.values()))


class Words(ContextWorkload, frozen=True):
    """Reads and writes of words drawn by their first letter; a scan counts the words of one letter."""

    functions: ClassVar = ("get", "put", "scan")

    keys: int = 1000
    value_bytes: int = 16
    mix: Annotated[dict[str, float], Unit.MIX] = msgspec.field(
        default_factory=lambda: {"get": 0.4, "put": 0.5, "scan": 0.1}
    )

    def call(self, rng: random.Random, unique: int, seen: Mapping[str, Value]) -> Call:
        """See `Workload.call`."""
        function = pick(self.mix, rng)
        letter = first_letter(rng)
        if function == "scan":
            return Call("scan", letter, chr(ord(letter) + 1))
        most = max(1, self.keys * FIRST_LETTERS[letter] // _BOUNDS[-1])
        key = f"{letter}{rng.randrange(most)}"
        return Call(function, key, f"{unique:0{self.value_bytes}}" if function == "put" else None)

    def settled_call(self, number: int) -> Call:
        """See `ContextWorkload.settled_call`."""
        letter = list(FIRST_LETTERS)[number % len(FIRST_LETTERS)]
        most = max(1, self.keys * FIRST_LETTERS[letter] // _BOUNDS[-1])
        return Call("get", f"{letter}{number // len(FIRST_LETTERS) % most}", None)

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = super().problems()
        if self.keys < 1:
            found.append(("keys", "at least 1 key is needed"))
        if not 1 <= self.value_bytes <= 100_000:
            found.append(("value_bytes", "from 1 to 100,000"))
        return found


def first_letter(rng: random.Random) -> str:
    """A letter, drawn by how many words begin with it."""
    draw = rng.randrange(_BOUNDS[-1])
    return next(letter for letter, bound in zip(FIRST_LETTERS, _BOUNDS, strict=True) if draw < bound)
