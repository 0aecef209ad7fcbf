"""What came before what: the partial order that sessions and reads make, by vector clocks."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from actors.history import Operation
from experiments.checkers.versions import Accesses, Step, by_session, forked


class Node(NamedTuple):
    """A step in its session."""

    step: Step
    session: int
    place: int  # within the session, from 1


class Order:
    """A partial order of steps: sessions, and edges between them, told by how much of each session comes before."""

    def __init__(self, told: Accesses) -> None:
        self.nodes: list[Node] = []
        self.before: list[list[int]] = []  # nodes directly before each
        self.writer: dict[Any, int] = {}
        node_of: dict[int, int] = {}
        sessions = by_session(told.steps)
        for number, session in enumerate(sessions):
            for place, step in enumerate(session, 1):
                node_of[id(step)] = self._add(Node(step, number, place), [len(self.nodes) - 1] if place > 1 else [])
        for step, former in forked(told.steps):
            self._add(Node(step, len(sessions), 1), [] if former is None else [node_of[id(former)]])
            sessions.append([step])
        self.sessions = len(sessions)
        self.of_key: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))  # key, session -> writes
        for number, node in enumerate(self.nodes):
            if node.step.writes:
                self.of_key[node.step.version[0]][node.session].append(number)

    def _add(self, node: Node, before: list[int]) -> int:
        self.nodes.append(node)
        self.before.append(before)
        if node.step.writes:
            self.writer[node.step.version] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def reads(self) -> Iterable[tuple[int, int | None]]:
        """(read, the write that it saw; None for what stood there at first)."""
        for number, node in enumerate(self.nodes):
            if not node.step.writes:
                yield number, self.writer.get(node.step.version)

    def clocks(self, more: dict[int, list[int]]) -> list[dict[int, int]] | list[int]:
        """How many steps of each session come before or are each node; or the nodes of a cycle.

        Args:
            more: node -> nodes before it, beside the sessions.
        """
        waiting = [0] * len(self.nodes)
        after: dict[int, list[int]] = defaultdict(list)
        for number, before in enumerate(self.before):
            for other in (*before, *more.get(number, ())):
                waiting[number] += 1
                after[other].append(number)
        ready = [number for number, count in enumerate(waiting) if not count]
        clocks: list[dict[int, int]] = [{} for _ in self.nodes]
        for number in ready:
            clock = clocks[number]
            for other in (*self.before[number], *more.get(number, ())):
                for session, count in clocks[other].items():
                    if clock.get(session, 0) < count:
                        clock[session] = count
            node = self.nodes[number]
            clock[node.session] = node.place
            for following in after[number]:
                waiting[following] -= 1
                if not waiting[following]:
                    ready.append(following)
        return clocks if len(ready) == len(self.nodes) else [number for number, count in enumerate(waiting) if count]

    def is_before(self, one: int, clock: dict[int, int]) -> bool:
        """Whether a node comes before (or is) the one whose clock this is."""
        node = self.nodes[one]
        return clock.get(node.session, 0) >= node.place

    def last_writes(self, key: str, clock: dict[int, int], *, but: int) -> Iterable[int]:
        """The last write to a key of each session that comes before (or is) the node whose clock this is."""
        for session, writes in self.of_key[key].items():
            upto = bisect_right(writes, clock.get(session, 0), key=lambda number: self.nodes[number].place)
            while upto and writes[upto - 1] == but:
                upto -= 1
            if upto:
                yield writes[upto - 1]


def contradiction(order: Order, session: int, base: Mapping[int, list[int]]) -> list[int] | None:
    """The nodes of a cycle in what one process must have seen, None if some order explains all its reads.

    As long as a write must come before a read of another value, it must come before that value's write.

    Args:
        base: node -> nodes before it, beside the sessions and what this process read.
    """
    mine = [(read, write) for read, write in order.reads() if order.nodes[read].session == session]
    more = {number: list(others) for number, others in base.items()}
    for read, write in mine:
        if write is not None and read not in base:
            more.setdefault(read, []).append(write)
    while True:
        clocks = order.clocks(more)
        if is_cycle(clocks):
            return clocks  # type: ignore[return-value]
        added = False
        for read, write in mine:
            key = order.nodes[read].step.version[0]
            for other in order.last_writes(key, clocks[read], but=-1 if write is None else write):  # type: ignore[arg-type]
                if write is None:
                    return [other, read]
                if not order.is_before(other, clocks[write]):  # type: ignore[arg-type]
                    more.setdefault(write, []).append(other)
                    added = True
        if not added:
            return None


def is_cycle(clocks: list[dict[int, int]] | list[int]) -> bool:
    return bool(clocks) and isinstance(clocks[0], int)


def case_of(order: Order, numbers: Sequence[int], history: Sequence[Operation], words: str = "") -> dict[str, Any]:
    places = [order.nodes[number].step.place for number in numbers]
    parts = []
    for number in numbers:
        step = order.nodes[number].step
        value = "the initial value" if step.version[1] is None else repr(step.version[1])
        did = "wrote" if step.writes else "read"
        where = f" in {step.version[0]}" if step.version[0] else ""
        parts.append(f"process {step.process} {did} {value}{where} ({history[step.place].function} {step.place})")
    words = words or "newer by what its process had seen, yet not shown: "
    return {"operations": sorted(set(places)), "what": words + ", ".join(parts)}


def unwritten(told: Accesses) -> list[dict[str, Any]]:
    return [
        {"operations": [step.place], "what": f"operation {step.place} read {step.version[1]!r}, which nobody wrote"}
        for step in told.unwritten
    ]
