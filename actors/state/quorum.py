"""Who decides: majorities of one set of voters, and of two at once while a configuration changes.

Pure arithmetic; `actors.state.configuration` says which sets count. Sources: Ongaro and Ousterhout, "In search of an
understandable consensus algorithm" (extended version), 2014, §5.2, §5.3 and §6.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from actors.message import NodeId

Election = Literal["won", "lost", "open"]

EVERYTHING = 1 << 62
"""What a set without voters agrees to: it holds nothing back."""


def majority(voters: int) -> int:
    """How many of so many voters decide: any two such sets share a voter."""
    return voters // 2 + 1


def agreed(voters: Sequence[NodeId], reached: Mapping[NodeId, int]) -> int:
    """The greatest index that a majority has reached (§5.3); EVERYTHING without voters.

    Args:
        reached: up to where each voter is known to have come: an index of the log, or a round of heartbeats.
    """
    if not voters:
        return EVERYTHING
    return sorted([reached[voter] for voter in voters])[(len(voters) - 1) // 2]


def election(voters: Sequence[NodeId], granted: Collection[NodeId], refused: Collection[NodeId]) -> Election:
    """How an election among these voters stands; won without voters."""
    needed = majority(len(voters)) if voters else 0
    if sum(voter in granted for voter in voters) >= needed:
        return "won"
    if len(voters) - sum(voter in refused for voter in voters) < needed:
        return "lost"
    return "open"


def both(one: Election, other: Election) -> Election:
    """An election that both sets must win (§6, joint consensus)."""
    if "lost" in (one, other):
        return "lost"
    return "won" if one == other == "won" else "open"
