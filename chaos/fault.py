"""What a fault is: settings that a file can give, and an injection that returns its cure."""

from collections.abc import Callable, Iterator
from random import Random
from typing import ClassVar, TypeAlias

import msgspec

from actors.message import Message
from actors.settings import Settings
from cluster.control import Control, Heal


class NotInjected(Exception):
    """A fault can't be injected at this moment; the controller records the reason and goes on."""


class NobodyToHit(NotInjected):
    """A target resolves to nobody at this moment, such as `leader` during an election."""


class TooManyDown(NotInjected):
    """The fault would take more servers down at once than the schedule allows."""


class Injected(msgspec.Struct, frozen=True):
    """A fault at work: whom it hit by name, in words what it does, and the call that ends it.

    A fault with a course of its own gives `moves`: each item is a time in ns to wait before the next is asked for.
    Healing ends the course wherever it is.
    """

    nodes: tuple[int, ...]
    detail: str
    heal: Heal
    moves: Iterator[int] | None = None


Resolve: TypeAlias = Callable[[tuple[str, ...]], tuple[int, ...]]
"""Target words -> node ids, by what the controller has observed so far."""


class Fault(Settings, frozen=True):
    """One kind of fault. A subclass adds its fields and `inject`; its file's name is its name in FAULTS."""

    takes_down: ClassVar[bool] = False  # whether its nodes answer nobody while it lasts
    asks: ClassVar[tuple[type[Message], ...]] = ()  # what it tells servers, whose system must know it

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """Start the fault now. Raises NotInjected, such as if its target resolves to nobody."""
        raise NotImplementedError
