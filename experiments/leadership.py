"""Who believed to lead, when: from what nodes tell of their roles."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from actors.election import RoleChanged
from actors.message import NodeId
from cluster.journal import NodeStopped
from experiments.recording import FaultRecord, Observed


class Belief(NamedTuple):
    """A node takes itself for the leader, from its election to its next change of role, its crash or the end."""

    node: NodeId
    term: int
    start_ns: int
    end_ns: int


def beliefs(events: Iterable[Observed], end_ns: int) -> list[Belief]:
    """All times in which a node believed to lead, in order of their start."""
    open_: dict[NodeId, tuple[int, int]] = {}
    found = []
    for observed in events:
        event, node = observed.event, observed.node
        if not isinstance(event, RoleChanged | NodeStopped):
            continue
        if node in open_:
            term, start_ns = open_.pop(node)
            found.append(Belief(node, term, start_ns, observed.time_ns))
        if isinstance(event, RoleChanged) and event.role == "leader":
            open_[node] = (event.term, observed.time_ns)
    found += [Belief(node, term, start_ns, max(start_ns, end_ns)) for node, (term, start_ns) in open_.items()]
    return sorted(found, key=lambda belief: (belief.start_ns, belief.node))


def overlap_ns(held: Iterable[Belief]) -> int:
    """The total time in which two or more nodes believed to lead at once, in whatever terms."""
    steps = sorted(step for belief in held for step in ((belief.start_ns, 1), (belief.end_ns, -1)))
    total = leaders = since_ns = 0
    for time_ns, change in steps:
        if leaders >= 2:
            total += time_ns - since_ns
        leaders, since_ns = leaders + change, time_ns
    return total


def reelections_ns(held: Sequence[Belief], faults: Iterable[FaultRecord]) -> list[int]:
    """For each fault that hit the leader: the time to the next election in a later term, by any node.

    The leader is the believer of the latest term at the moment of the injection. A fault that no election followed
    is left out: its cost shows in the recovery time.
    """
    waited = []
    for fault in faults:
        at_ns = fault.injected_ns
        present = [belief for belief in held if belief.start_ns <= at_ns <= belief.end_ns]
        if not present:
            continue
        leader = max(present, key=lambda belief: (belief.term, belief.start_ns))
        if leader.node not in fault.nodes:
            continue
        later = [belief.start_ns for belief in held if belief.term > leader.term and belief.start_ns >= at_ns]
        if later:
            waited.append(min(later) - at_ns)
    return waited
