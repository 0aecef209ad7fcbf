"""At most one leader a term, for every system that elects."""

from collections import defaultdict
from collections.abc import Iterable

from actors.election import RoleChanged
from cluster.topology import Topology
from experiments.checkers.verdict import Verdict
from experiments.recording import Observed


def election_safety(events: Iterable[Observed], topology: Topology) -> Verdict:
    """At most one node is elected in any term (Raft, figure 3: "Election Safety").

    Sound and complete for what was recorded: it fails exactly if two nodes said that they lead in one term (or
    round, for systems that count rounds).

    Returns: invalid, with evidence {term: nodes}, if a term has two leaders; unknown if nobody was ever elected,
        since a run that tests nothing has not passed.
    """
    leaders = leaders_by_term(events)
    split = {term: topology.names(nodes).split(",") for term, nodes in sorted(leaders.items()) if len(nodes) > 1}
    if not leaders:
        return Verdict(valid="unknown", checked=0, reason="nobody was ever elected, so nothing was tested")
    return Verdict(
        valid=not split,
        checked=len(leaders),
        method="count of leaders by term",
        reason="; ".join(two_leaders(term, nodes) for term, nodes in list(split.items())[:1]),
        evidence={"terms": len(leaders), "split": {str(term): nodes for term, nodes in split.items()}},
    )


def leaders_by_term(events: Iterable[Observed]) -> dict[int, set[int]]:
    """The nodes that became leader, by term."""
    leaders: dict[int, set[int]] = defaultdict(set)
    for observed in events:
        event = observed.event
        if isinstance(event, RoleChanged) and event.role == "leader":
            leaders[event.term].add(observed.node)
    return leaders


def two_leaders(term: int, nodes: list[str]) -> str:
    """The violation in words."""
    return (
        f"{' and '.join(nodes)} were all elected in term {term}"
        if nodes[2:]
        else (f"{nodes[0]} and {nodes[1]} were both elected in term {term}")
    )
