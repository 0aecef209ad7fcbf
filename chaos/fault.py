"""What a fault is: settings that a file can give, and an injection that returns its cure."""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

import msgspec

from actors.settings import Settings
from cluster.control import Control, Heal


class Injected(msgspec.Struct, frozen=True):
    """A fault at work: whom it hit by name, in words what it does, and the call that ends it."""

    nodes: tuple[int, ...]
    detail: str
    heal: Heal


Resolve: TypeAlias = Callable[[tuple[str, ...]], tuple[int, ...]]
"""Target words -> node ids, by what the controller has observed so far."""


class Fault(Settings, frozen=True):
    """One kind of fault. A subclass adds its fields and `inject`; its file's name is its name in FAULTS."""

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """Start the fault now. Raises chaos.targets.NobodyToHit if its target resolves to nobody."""
        raise NotImplementedError
