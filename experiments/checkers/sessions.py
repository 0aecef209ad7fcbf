"""Session guarantees: what each process may rely on, whatever the others do.

Source: Terry, Demers, Petersen, Spreitzer, Theimer and Welch, "Session guarantees for weakly consistent replicated
data", PDIS 1994; in the terms of Viotti and Vukolić, "Consistency in non-transactional distributed storage systems",
ACM Computing Surveys 49(1), 2016.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from actors.history import Operation
from experiments.checkers.anomalies import verdict_of
from experiments.checkers.components import components
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import Accesses, Step, Version, accesses, by_session

METHOD = "cycles among the versions of each key"


class Edge(NamedTuple):
    """One version is not newer than another, because a session met them in this order."""

    older: Version
    newer: Version
    first: int  # place of the operation that met `older`
    second: int
    guarantee: str


def read_your_writes(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """A read shows the process's own last write to that key, or what came to be after it.

    A history has the guarantee iff the versions of each key can be put in one order in which this holds for every
    process: iff the edges "own write before what was read" have no cycle, and the initial version comes first.
    Sound and complete for keys whose written values are unique; with others unknown. A write of unknown outcome
    obliges to nothing.
    """
    return _judge(history, {"read-your-writes": own_writes}, (), initial)


def monotonic_reads(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """A process never reads something older than what it read before.

    Sound and complete in the sense of `read_your_writes`.
    """
    return _judge(history, {"monotonic-reads": successive_reads}, (), initial)


def monotonic_writes(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """The writes of a process to a key become visible in their order.

    Only readers can tell, and only if they don't go back themselves: a violation is a cycle of the edges "written
    before" and "read before" with at least one of the former. Sound and complete in that sense, for unique values.
    """
    return _judge(history, {"monotonic-writes": successive_writes}, (successive_reads,), initial)


def writes_follow_reads(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """What a process writes to a key is newer than what it had read there.

    Sound and complete in the sense of `monotonic_writes`.
    """
    return _judge(history, {"writes-follow-reads": reads_before_writes}, (successive_reads,), initial)


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


def _judge(history: Sequence[Operation], wanted: dict[str, Edges], beside: Iterable[Edges], initial: Any) -> Verdict:
    told = accesses(history, initial=initial)
    sessions = by_session(told.steps)
    (guarantee, edges_of), *_ = wanted.items()
    mine = [edge for session in sessions for edge in edges_of(session)]
    others = [edge for edges in beside for session in sessions for edge in edges(session)]
    violations = [describe(cycle, history) for cycle in violations_of(mine, others, told)]
    keys = {step.version[0] for step in told.steps}
    return verdict_of(
        {guarantee: violations, "never-written": _unwritten(told)},
        checked=len(told.steps),
        method=METHOD,
        unknown=why_unknown(told, bool(mine), f"no process did anything that {guarantee} is about"),
        harmless=("never-written",) if guarantee != "read-your-writes" else (),
        keys=len(keys),
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


def violations_of(mine: Sequence[Edge], others: Sequence[Edge], told: Accesses) -> list[list[Edge]]:
    """A cycle for each edge of `mine` that lies on one, one for each strongly connected part.

    The order of items in lists, and that initial versions come first, go for all.
    """
    graph: dict[Version, dict[Version, Edge]] = defaultdict(dict)
    for older, newer in told.orders:
        graph[older].setdefault(newer, Edge(older, newer, -1, -1, "list-order"))
    for edge in (*others, *mine):
        if edge.older != edge.newer:
            graph[edge.older].setdefault(edge.newer, edge)
    part_of = components(graph)
    found: list[list[Edge]] = []
    seen: set[Any] = set()
    for edge in mine:
        part = part_of.get(edge.older)
        to_first = edge.newer[1] is None and edge.older != edge.newer
        if not to_first and (edge.older == edge.newer or part is None or part_of.get(edge.newer) != part):
            continue
        if (edge.newer if to_first else part) in seen:
            continue
        seen.add(edge.newer if to_first else part)
        found.append([edge] if to_first else [edge, *_path(graph, edge.newer, edge.older)])
    return found


def _path(graph: dict[Version, dict[Version, Edge]], begin: Version, end: Version) -> list[Edge]:
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
