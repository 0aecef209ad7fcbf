"""Lists that only grow: read and append, many keys. Every appended item is unique in the run."""

import random
from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from actors.message import Value
from actors.settings import Unit
from actors.workload import Call, Workload
from experiments.workloads.register import pick


class Append(Workload, frozen=True):
    """Read lists and append to them."""

    functions: ClassVar = ("read", "append")

    keys: int = 8
    mix: Annotated[dict[str, float], Unit.MIX] = msgspec.field(default_factory=lambda: {"read": 0.5, "append": 0.5})

    def call(self, rng: random.Random, unique: int, seen: Mapping[str, Value]) -> Call:
        """See `Workload.call`."""
        function = pick(self.mix, rng)
        return Call(function, f"k{rng.randrange(self.keys) + 1}", None if function == "read" else unique)

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = super().problems()
        if self.keys < 1:
            found.append(("keys", "at least 1 key is needed"))
        return found
