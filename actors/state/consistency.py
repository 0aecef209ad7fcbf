"""Consistency levels: whose answers a request waits for.

A level becomes requirements, (replicas, how many of them) pairs that must all be met. R + W > N makes every read meet
every acknowledged write, if the requirements are strict: of one set of owners, without stand-ins.
"""

from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

from actors.message import NodeId

Named: TypeAlias = Literal["any", "one", "two", "quorum", "all", "local-one", "local-quorum", "each-quorum"]
Level: TypeAlias = int | Named
"""A number of replicas, or a name."""

Requirements: TypeAlias = tuple[tuple[tuple[NodeId, ...], int], ...]


def majority(of: int) -> int:
    """How many of so many any two such sets must share a member of."""
    return of // 2 + 1


def requirements(level: Level | str, owners: Sequence[NodeId], regions: Sequence[str], here: str) -> Requirements:
    """What a level asks for.

    Args:
        owners: the replicas of the key.
        regions: the region of every node, by id.
        here: the coordinator's region. A local level in a region without replicas asks for all regions' instead.

    Raises: ValueError for a name that is no level.
    """
    everyone = tuple(owners)
    local = tuple(node for node in owners if regions[node] == here) or everyone
    counts = {"any": 1, "one": 1, "two": min(2, len(owners)), "quorum": majority(len(owners)), "all": len(owners)}
    if isinstance(level, int):
        return ((everyone, min(level, len(everyone))),)
    if level in counts:
        return ((everyone, counts[level]),)
    if level == "local-one":
        return ((local, 1),)
    if level == "local-quorum":
        return ((local, majority(len(local))),)
    if level == "each-quorum":
        places = sorted({regions[node] for node in owners})
        sides = [tuple(node for node in owners if regions[node] == place) for place in places]
        return tuple((side, majority(len(side))) for side in sides)
    raise ValueError(f"there is no consistency level {level!r}")


def met(needs: Requirements, answered: Collection[NodeId]) -> bool:
    """Whether these replicas' answers are enough."""
    return all(sum(node in answered for node in nodes) >= count for nodes, count in needs)
