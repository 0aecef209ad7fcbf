"""Session guarantees: what each process may rely on, whatever the others do.

Source: Terry, Demers, Petersen, Spreitzer, Theimer and Welch, "Session guarantees for weakly consistent replicated
data", PDIS 1994.

Each process has a view of its own: an order of the versions of a key in which the writes of every session stand in
that session's order (and the items of a list in the list's). A guarantee is violated iff some process has no view in
which what it met goes forward. So PRAM implies these guarantees, and causal consistency all of them; nothing is held
against a store that orders concurrent writes of different sessions as it likes, and the times of operations play no
part (`staleness` is about those).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.components import components
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import Accesses, Step, Version, accesses, by_session

METHOD = "cycles in what each process met of a key"


class Edge(NamedTuple):
    """One version is not newer than another, because a session met them in this order."""

    older: Version
    newer: Version
    first: int  # place of the operation that met `older`
    second: int
    guarantee: str


def read_your_writes(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """A read shows the process's own last write to that key, or what in its view came to be after it.

    Sound and complete in the sense of this module, for keys whose written values are unique; with others unknown. A
    write of unknown outcome obliges to nothing.
    """
    return _judge(history, Wanted("read-your-writes", own_writes, ()), initial)


def monotonic_reads(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """A process never reads something older than what it read before.

    Sound and complete in the sense of `read_your_writes`.
    """
    return _judge(history, Wanted("monotonic-reads", successive_reads, ()), initial)


def monotonic_writes(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """The writes of a process to a key become visible in their order.

    Only readers can tell: a violation is a reader who sees two writes of one process in the wrong order. (So it is
    told as one of monotonic reads too: whether the writes or the reads went wrong, nobody can know.) Sound and
    complete in the sense of `read_your_writes`.
    """
    return _judge(history, Wanted("monotonic-writes", successive_reads, (successive_writes,)), initial)


def writes_follow_reads(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """Whoever sees a write does not see afterwards what its process had read before it wrote.

    Sound and complete in the sense of `monotonic_writes`.
    """
    return _judge(history, Wanted("writes-follow-reads", successive_reads, (reads_before_writes,)), initial)


Edges = Callable[[list[Step]], Iterator[Edge]]


def own_writes(session: list[Step]) -> Iterator[Edge]:
    """From a process's last write of a key to what it reads there next."""
    last: dict[str, Step] = {}
    for step in session:
        if step.writes:
            last[step.version[0]] = step
        elif step.version[0] in last:
            yield _edge(last[step.version[0]], step, "read-your-writes")


def successive_reads(session: list[Step]) -> Iterator[Edge]:
    """From what a process read to what it reads next."""
    yield from _successive([step for step in session if not step.writes], "monotonic-reads")


def successive_writes(session: list[Step]) -> Iterator[Edge]:
    """From what a process wrote to what it writes next."""
    yield from _successive([step for step in session if step.writes], "monotonic-writes")


def reads_before_writes(session: list[Step]) -> Iterator[Edge]:
    """From what a process read last to what it writes next."""
    last: dict[str, Step] = {}
    for step in session:
        key = step.version[0]
        if not step.writes:
            last[key] = step
        elif key in last:
            yield _edge(last[key], step, "writes-follow-reads")


def _successive(steps: Sequence[Step], guarantee: str) -> Iterator[Edge]:
    last: dict[str, Step] = {}
    for step in steps:
        key = step.version[0]
        if key in last:
            yield _edge(last[key], step, guarantee)
        last[key] = step


def _edge(first: Step, second: Step, guarantee: str) -> Edge:
    return Edge(first.version, second.version, first.place, second.place, guarantee)


GUARANTEES = {
    "read-your-writes": read_your_writes,
    "monotonic-reads": monotonic_reads,
    "monotonic-writes": monotonic_writes,
    "writes-follow-reads": writes_follow_reads,
}


class Wanted(NamedTuple):
    """A guarantee: what a process must have met in order, and what writers have done that it is about."""

    name: str
    met: Edges
    done: tuple[Edges, ...]  # if any, a violation has at least one of these in it


def _judge(history: Sequence[Operation], wanted: Wanted, initial: Any) -> Verdict:
    told = accesses(history, initial=initial)
    sessions = by_session(told.steps)
    violations = [describe(cycle, history) for cycle in violations_of(wanted, told, sessions)]
    tested = any(True for session in sessions for _ in wanted.met(session))
    return verdict_of(
        {wanted.name: violations, "never-written": _unwritten(told)},
        checked=len(told.steps),
        method=METHOD,
        unknown=why_unknown(told, tested, f"no process did anything that {wanted.name} is about"),
        harmless=("never-written",) if wanted.name != "read-your-writes" else (),
        keys=len({step.version[0] for step in told.steps}),
    )


def _unwritten(told: Accesses) -> list[dict[str, Any]]:
    return [
        {"operation": step.place, "what": f"operation {step.place} read {step.version[1]!r}, which nobody wrote"}
        for step in told.unwritten
    ]


def why_unknown(told: Accesses, tested: bool, nothing: str) -> str:
    """Why a history without violations has not passed all the same; empty if it has."""
    if told.unclear:
        key, why = next(iter(sorted(told.unclear.items())))
        return f"{len(told.unclear)} keys can't be judged; {key or 'the only one'}: {why}"
    return "" if tested else nothing


Graph = dict[Version, dict[Version, Edge]]


def violations_of(wanted: Wanted, told: Accesses, sessions: Sequence[list[Step]]) -> Iterator[list[Edge]]:
    """A cycle for each process and key that has one, and for each key where what was written is one by itself."""
    base = _base(wanted, told, sessions)
    if wanted.done:
        yield from (cycle for graph in base.values() for cycle in _cycles_of_writers(graph))
    place = {version: number for number, version in enumerate(_topological(base, told))}
    for session in sessions:
        by_key: dict[str, list[Edge]] = defaultdict(list)
        for edge in wanted.met(session):
            if edge.older != edge.newer:
                by_key[edge.older[0]].append(edge)
        for key, edges in by_key.items():
            # What goes forward in one order that suits the writers can be on no cycle.
            if any(place.get(edge.older, -1) >= place.get(edge.newer, -1) for edge in edges):
                cycle = _cycle(edges, base[key], needs_writers=bool(wanted.done))
                if cycle is not None:
                    yield cycle


def _base(wanted: Wanted, told: Accesses, sessions: Sequence[list[Step]]) -> dict[str, Graph]:
    """What every view has to respect, key by key: the order of each session's writes, of lists, and what is wanted."""
    base: dict[str, Graph] = defaultdict(lambda: defaultdict(dict))
    for older, newer in told.orders:
        base[older[0]][older].setdefault(newer, Edge(older, newer, -1, -1, "list-order"))
    for session in sessions:
        for edges in (*wanted.done, successive_writes):
            for edge in edges(session):
                if edge.older != edge.newer and edge.older[1] is not None:
                    base[edge.older[0]][edge.older].setdefault(edge.newer, edge)
    return base


def _topological(base: dict[str, Graph], told: Accesses) -> list[Version]:
    """The versions in one order that the base allows, by the time of their writes where it leaves a choice.

    Versions on a cycle of the base itself are left out.
    """
    waiting: dict[Version, int] = defaultdict(int)
    for graph in base.values():
        for following in graph.values():
            for version in following:
                waiting[version] += 1
    ready = [(step.invoke_ns, step.place, version) for version, step in told.writers.items() if not waiting[version]]
    heapify(ready)
    order = []
    while ready:
        version = heappop(ready)[2]
        order.append(version)
        for newer in base[version[0]].get(version, ()):
            waiting[newer] -= 1
            if not waiting[newer]:
                step = told.writers[newer]
                heappush(ready, (step.invoke_ns, step.place, newer))
    return order


def _cycles_of_writers(graph: Graph) -> Iterator[list[Edge]]:
    """One for each set of versions that writers and lists have put in a circle."""
    part_of, told = components(graph), set()
    for older, part in part_of.items():
        if part in told:
            continue
        told.add(part)
        edge = next(edge for newer, edge in graph[older].items() if part_of.get(newer) == part)
        yield [edge, *_path(graph, edge.newer, edge.older)]


def _cycle(edges: Sequence[Edge], base: Graph, *, needs_writers: bool) -> list[Edge] | None:
    """A cycle with something in it that this process met; None if there is none."""
    to_first = [edge for edge in edges if edge.newer[1] is None]
    if to_first and not needs_writers:
        return [to_first[0]]
    graph: Graph = {version: dict(following) for version, following in base.items()}
    for edge in edges:
        if edge.newer[1] is not None:
            graph.setdefault(edge.older, {}).setdefault(edge.newer, edge)
    part_of = components(graph)
    for edge in edges:
        part = part_of.get(edge.older)
        if part is None or part_of.get(edge.newer) != part:
            continue
        cycle = [edge, *_path(graph, edge.newer, edge.older)]
        if not needs_writers or any(one.guarantee != edge.guarantee for one in cycle):
            return cycle
    return None


def _path(graph: Graph, begin: Version, end: Version) -> list[Edge]:
    """A shortest way from one version to another of its component."""
    came: dict[Version, Edge] = {}
    queue = [begin]
    for version in queue:
        if end in came:
            break
        for following, edge in graph.get(version, {}).items():
            if following not in came and following != begin:
                came[following] = edge
                queue.append(following)
    way, at = [], end
    while at != begin:
        way.append(came[at])
        at = came[at].older
    return way[::-1]


def describe(cycle: Sequence[Edge], history: Sequence[Operation]) -> dict[str, Any]:
    """A cycle in words."""
    parts = []
    for edge in cycle:
        key, older = edge.older
        newer = edge.newer[1]
        where = f" in {key}" if key else ""
        if edge.first < 0:
            parts.append(f"{older!r} stands before {newer!r}{where}")
            continue
        first, second = history[edge.first], history[edge.second]
        parts.append(
            f"process {first.process} met {_shown(older)}{where} ({first.function} {edge.first}) and then "
            f"{_shown(newer)} ({second.function} {edge.second})"
        )
    return {
        "key": cycle[0].older[0],
        "operations": sorted({place for edge in cycle for place in (edge.first, edge.second) if place >= 0}),
        "what": ", but ".join(parts),
    }


def _shown(value: Any) -> str:
    return "the initial value" if value is None else repr(value)
