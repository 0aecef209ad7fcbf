"""Keys with siblings: get, put over what was seen, delete. Every value is unique in the run."""

import random
from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from actors.context_client import ContextWorkload
from actors.message import Value
from actors.settings import Unit
from actors.workload import Call
from experiments.workloads.register import pick


class Siblings(ContextWorkload, frozen=True):
    """Each process reads and writes all keys; its write takes the place of what it last saw of that key, no more."""

    functions: ClassVar = ("get", "put", "delete")

    keys: int = 8
    mix: Annotated[dict[str, float], Unit.MIX] = msgspec.field(default_factory=lambda: {"get": 0.5, "put": 0.5})

    def call(self, rng: random.Random, unique: int, seen: Mapping[str, Value]) -> Call:
        """See `Workload.call`."""
        key = f"k{rng.randrange(self.keys) + 1}"
        function = pick(self.mix, rng)
        return Call(function, key, unique if function == "put" else None)

    def settled_call(self, number: int) -> Call:
        """See `ContextWorkload.settled_call`."""
        return Call("get", f"k{number % self.keys + 1}", None)

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = super().problems()
        if self.keys < 1:
            found.append(("keys", "at least 1 key is needed"))
        if self.settle_ns < 0:
            found.append(("settle_ns", "a time from 0 on"))
        return found
