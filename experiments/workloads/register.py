"""Single registers, many keys: read, write, compare-and-set. Every written value is unique in the run."""

import random
from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from actors.message import Value
from actors.settings import Unit
from actors.workload import Call, Workload


class Register(Workload, frozen=True):
    """Read, write and compare-and-set registers; a compare expects the value that this pool saw last."""

    functions: ClassVar = ("read", "write", "cas")

    keys: int = 8
    mix: Annotated[dict[str, float], Unit.MIX] = msgspec.field(default_factory=lambda: {"read": 0.5, "write": 0.5})

    def call(self, rng: random.Random, unique: int, seen: Mapping[str, Value]) -> Call:
        """See `Workload.call`."""
        key = f"k{rng.randrange(self.keys) + 1}"
        function = pick(self.mix, rng)
        value: Value = None if function == "read" else unique
        if function == "cas":
            value = (seen.get(key), unique)  # type: ignore[assignment]
        return Call(function, key, value)

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = super().problems()
        if self.keys < 1:
            found.append(("keys", "at least 1 key is needed"))
        return found


def pick(mix: Mapping[str, float], rng: random.Random) -> str:
    """One function, drawn by its share."""
    draw = rng.random() * sum(mix.values())
    for function, share in mix.items():
        draw -= share
        if draw < 0:
            return function
    return function
