"""A trace: each step of a simulated run, and each call that its nodes make with the line of code that made it.

Two runs of one setup must have the same trace. Where they part first, the line of the call is the one to look at: a
set's order, a hash, a wall clock or the like decided there, or before in the same handler.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import msgpack
import msgspec

from actors.message import NodeId
from actors.node import Node
from cluster.drive import DrivenNode
from cluster.fabric import Director, Setup
from cluster.journal import Journal
from cluster.loop import DELIVER, DETOURS, SERVED, SYNCED, TIMER
from cluster.sim.loop import SimLoop

CALLS = ("send", "send_unsaved", "emit", "save", "append", "cut", "snapshot", "set_timer", "cancel_timer")
STEPS = {DELIVER: "deliver", TIMER: "timer", SYNCED: "synced", SERVED: "served", DETOURS: "detours"}


class TraceLine(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened."""

    time_ns: int
    node: NodeId
    what: str  # a step or a call
    content: Any
    line: str = ""  # of a call: path:number in function


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """Where two traces differ first; None stands for the one that had ended."""

    number: int  # how many lines they share
    one: TraceLine | None
    other: TraceLine | None


class Trace:
    """A file of trace lines, written as they happen."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._encode = msgspec.msgpack.Encoder(order="deterministic", enc_hook=_kind_of).encode

    def add(self, line: TraceLine) -> None:
        self._file.write(self._encode(line))

    def __enter__(self) -> "Trace":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()


class Lines(Protocol):
    """Who takes the lines of a trace."""

    def add(self, line: TraceLine) -> None: ...


class TracedNode:
    """The node API with each call written down before it is carried out."""

    def __init__(self, node: DrivenNode, trace: Lines) -> None:
        self._node = node
        self._trace = trace
        for name in CALLS:
            setattr(self, name, self._traced(name))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def _traced(self, name: str) -> Callable[..., Any]:
        node, trace, call = self._node, self._trace, getattr(self._node, name)

        def traced(*args: Any, **facts: Any) -> Any:
            caller = sys._getframe(1)
            line = f"{_short(caller.f_code.co_filename)}:{caller.f_lineno} in {caller.f_code.co_name}"
            trace.add(TraceLine(node.world.now_ns, node.id, name, (*args, facts) if facts else args, line))
            return call(*args, **facts)

        return traced


class TracedLoop(SimLoop):
    """A simulator that writes a trace."""

    def __init__(self, setup: Setup, journal: Journal, director: Director, *, trace: Lines) -> None:
        super().__init__(setup, journal, director)
        self._trace = trace

    def node_api(self, node: DrivenNode) -> Node:
        """See `Loop.node_api`."""
        return TracedNode(node, self._trace)

    def handle(self, kind: int, node_id: NodeId, sender: int, what: Any) -> bool:
        """See `Loop.handle`."""
        self._trace.add(TraceLine(self.now_ns, node_id, STEPS[kind], (sender, what)))
        return super().handle(kind, node_id, sender, what)


def first_parting(one: Path, other: Path) -> Parting | None:
    """Where two trace files differ first; None if they are the same."""
    for number, (left, right) in enumerate(zip_longest(_lines(one), _lines(other))):
        if left != right:
            return Parting(number=number, one=_line(left), other=_line(right))
    return None


def _lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        yield from msgpack.Unpacker(file, strict_map_key=False, use_list=False)


def _line(value: Any) -> TraceLine | None:
    return None if value is None else TraceLine(*value)


def _short(path: str) -> str:
    """A source file as a reader would name it: from the working folder, if it lies there."""
    here = str(Path.cwd())
    return path.removeprefix(here).lstrip("/") if path.startswith(here + "/") else path


def _kind_of(value: Any) -> str:
    """Stands for what can't be encoded: its address would differ from run to run."""
    return type(value).__name__
