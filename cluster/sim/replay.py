"""The time machine: a run made again up to a moment, and looked into.

The simulator repeats a run bit for bit, so nothing of it needs to be kept: what a node knew at a moment, what was on
its way to it and what its disk held is found by running there again.
"""

from collections import defaultdict, deque
from typing import Any, NamedTuple

import msgspec

from actors.message import NodeId
from cluster.drive import DrivenNode
from cluster.fabric import Director, Setup
from cluster.journal import Journal
from cluster.loop import DELIVER
from cluster.sim.fabric import SimControl
from cluster.sim.trace import TracedLoop, TraceLine

LAST = 12  # lines of each node that are kept, and those about a moment on either side


class UnknownAttribute(LookupError):
    """What is to be watched is nothing that the node has."""


class Numbered(NamedTuple):
    """A line of the trace and its number, counted from 0; `run --twice` counts them too."""

    number: int
    line: TraceLine


class Change(NamedTuple):
    """What is watched has changed, by what the node did last."""

    time_ns: int
    old: Any
    new: Any
    by: Numbered | None


class Around(msgspec.Struct, frozen=True):
    """A moment: the number of a line, or the first line at or after a time."""

    number: int | None = None
    time_ns: int | None = None

    def is_at(self, number: int, line: TraceLine) -> bool:
        """Whether the moment has come."""
        return number == self.number if self.time_ns is None else line.time_ns >= self.time_ns


class _Seen(Exception):
    """All that was asked for has been seen."""


class Reel:
    """The lines of a trace that a replay keeps: the last ones of each node, and those about one moment."""

    def __init__(self, around: Around | None) -> None:
        self.count = 0
        self.step: dict[NodeId, Numbered] = {}  # the last step of each node, not counting its calls
        self.last: dict[NodeId, deque[Numbered]] = defaultdict(lambda: deque(maxlen=LAST))
        self.window: deque[Numbered] = deque(maxlen=LAST)  # what leads up to the moment, then also what follows
        self.moment: int | None = None  # the number of the line at which it has come
        self._around = around

    def add(self, line: TraceLine) -> None:
        """See `cluster.sim.trace.Trace.add`."""
        numbered = Numbered(self.count, line)
        self.count += 1
        self.last[line.node].append(numbered)
        if not line.line:
            self.step[line.node] = numbered
        if self._around is None:
            return
        if self.moment is None and self._around.is_at(numbered.number, line):
            self.moment = numbered.number
            self.window = deque(self.window)
        self.window.append(numbered)
        if self.moment is not None and numbered.number >= self.moment + LAST:
            raise _Seen


class Watched(NamedTuple):
    """An attribute of a node's actor."""

    node: NodeId
    attribute: str


class ReplayLoop(TracedLoop):
    """A simulator that keeps a reel and watches attributes."""

    def __init__(
        self, setup: Setup, director: Director, *, around: Around | None = None, watched: Watched | None = None
    ) -> None:
        self.reel = Reel(around)
        self.changes: list[Change] = []
        self._watched = watched
        self._value: Any = None
        journal = Journal(None, host="sim", origin_ns=0)
        super().__init__(setup, journal, director, trace=self.reel)

    def start(self, node_id: NodeId, *args: Any, **kwargs: Any) -> None:
        """See `Loop.start`."""
        super().start(node_id, *args, **kwargs)
        self._look(node_id)

    def crash(self, node_id: NodeId) -> None:
        """See `Loop.crash`."""
        super().crash(node_id)
        self._look(node_id)

    def handle(self, kind: int, node_id: NodeId, sender: int, what: Any) -> bool:
        """See `Loop.handle`."""
        handled = super().handle(kind, node_id, sender, what)
        self._look(node_id)
        return handled

    def end_bulk(self, watch: Any) -> None:
        """See `SimLoop.end_bulk`; what was journalled is of no use here."""
        super().end_bulk(watch)
        self._journal.entries.clear()

    def _look(self, node_id: NodeId) -> None:
        """Tell a change of what is watched."""
        if self._watched is None or node_id != self._watched.node:
            return
        value = self._plain_value(self.nodes.get(node_id), self._watched.attribute)
        if value != self._value:
            self.changes.append(Change(self.now_ns, self._value, value, self.reel.step.get(node_id)))
            self._value = value

    def _plain_value(self, node: DrivenNode | None, attribute: str) -> Any:
        """The value as plain data, which what the actor does next doesn't change; None of a node that is down."""
        value: Any = None if node is None else node.actor
        for name in attribute.split(".") if node is not None else ():
            if isinstance(value, dict):
                value = value.get(name, value.get(int(name)) if name.isdigit() else None)
            elif not hasattr(value, name):
                raise UnknownAttribute(name)
            else:
                value = getattr(value, name)
        return msgspec.to_builtins(value, str_keys=False)


def replay(loop: ReplayLoop, director: Director, *, until_ns: int | None) -> None:
    """Run a setup again up to a moment (all that is due at it included), or until the loop has seen enough."""
    setup = loop.setup
    end_ns = setup.duration_ns + setup.drain_ns if until_ns is None else until_ns + 1
    director.begin(SimControl(loop), loop.record)
    loop.schedule_director()
    try:
        for node in range(len(setup.topology.regions)):
            loop.start(node)
        loop.run_until(min(end_ns, setup.duration_ns), lambda _: None)
        if end_ns > setup.duration_ns or director.over:
            director.finish(loop.now_ns)
            loop.run_until(min(end_ns, loop.now_ns + setup.drain_ns), lambda _: None)
            loop.record(loop.traffic())
    except _Seen:
        pass


class Glimpse(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of one node at a moment."""

    node: str
    up: bool
    paused: bool = False
    incarnation: int | None = None
    state: dict[str, Any] | None = None
    timers: dict[str, int] = {}  # by name: when each is due, in ns of the run
    waiting: list[str] = []  # in the mailbox: what has arrived and is not handled
    coming: list[str] = []  # on its way, in the order of arrival
    disk: dict[str, Any] = {}
    last: list[str] = []  # the last lines of the trace about it


def glimpse(loop: ReplayLoop, node_id: NodeId) -> Glimpse:
    """Look at a node."""
    name = loop.setup.topology.name
    last = [text(one, name(node_id)) for one in loop.reel.last[node_id]]
    coming = sorted(due for due in loop.heap if due[2] == DELIVER and due[3] == node_id)
    on_its_way = [f"{due[0] / 1e6:.3f} ms from {name(due[4])}: {due[5]}" for due in coming]
    node = loop.nodes.get(node_id)
    if node is None:
        return Glimpse(node=name(node_id), up=False, coming=on_its_way, last=last)
    stored = node.disk.load()
    return Glimpse(
        node=name(node_id),
        up=True,
        paused=node.paused,
        incarnation=node.incarnation,
        state=node.actor.state(),
        timers=node.deadlines(),
        waiting=[f"{what}" for _, _, what in node.mailbox],
        coming=on_its_way,
        disk={
            "facts": msgspec.to_builtins(stored.facts, str_keys=False),
            "logs": {log: len(items) for log, items in stored.logs.items()},
            "snapshot": stored.snapshot is not None,
            "unsynced_records": node.disk.asked - node.disk.durable,
        },
        last=last,
    )


def text(one: Numbered, node: str) -> str:
    """A line of the trace in words."""
    number, line = one
    at = f"  at {line.line}" if line.line else ""
    return f"#{number} {line.time_ns / 1e6:.6f} ms {node} {line.what} {_shown(line.content)}{at}"


def _shown(content: Any) -> str:
    return ", ".join(map(str, content)) if isinstance(content, tuple) else str(content)
