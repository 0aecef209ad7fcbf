"""Who belongs to a Raft cluster, as a value; how one such value may follow another, as pure functions.

A server uses the latest configuration in its log, committed or not (Ongaro and Ousterhout 2014, §6). Two ways lead
from one to the next: a change of one voter, whose majorities overlap by themselves (Ongaro, "Consensus: bridging
theory and practice", 2014, §4.1), and joint consensus, in which both sets must agree until the change is left (§4.3).
"""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import ClassVar

import msgspec

from actors.message import Message, NodeId
from actors.state.quorum import Election, agreed, both, election, majority


class InvalidChange(ValueError):
    """No configuration may follow in this way; says why."""


class Configuration(Message, frozen=True):
    """Members by their part. As an entry of the log it counts from the moment it is appended."""

    voters: tuple[NodeId, ...]
    outgoing: tuple[NodeId, ...] = ()  # while the configuration is joint: the voters of the old one
    learners: tuple[NodeId, ...] = ()  # get the log, never count
    witnesses: tuple[NodeId, ...] = ()  # store no payload and never lead; listed even when they have left, for good
    leave: bool = True  # joint: the leader leaves it by itself once it is committed
    serial: int = 0  # counts the changes since the cluster began

    process: ClassVar[int] = -2  # stands where a client's process stands, for observers of the log

    @property
    def is_joint(self) -> bool:
        return bool(self.outgoing)

    @property
    def members(self) -> tuple[NodeId, ...]:
        """All that get the log."""
        return tuple(sorted({*self.voters, *self.outgoing, *self.learners}))

    def is_voter(self, node: NodeId) -> bool:
        """Whether this node's voice counts in either set."""
        return node in self.voters or node in self.outgoing

    def may_lead(self, node: NodeId) -> bool:
        return self.is_voter(node) and node not in self.witnesses

    def agreed(self, reached: Mapping[NodeId, int]) -> int:
        """The greatest index that a majority, of both sets if joint, has reached."""
        index = agreed(self.voters, reached)
        return min(index, agreed(self.outgoing, reached)) if self.outgoing else index

    def election(self, granted: Collection[NodeId], refused: Collection[NodeId] = ()) -> Election:
        """How a vote stands: a candidate needs a majority of each set."""
        return both(election(self.voters, granted, refused), election(self.outgoing, granted, refused))


def overlap(one: Configuration, other: Configuration) -> bool:
    """Whether every quorum of one configuration shares a node with every quorum of the other."""
    halves = [half for half in (other.voters, other.outgoing) if half]
    if any(majorities_overlap(mine, half) for mine in (one.voters, one.outgoing) if mine for half in halves):
        return True
    members = sorted({*one.members, *other.members})
    sets = [set(chosen) for size in range(len(members) + 1) for chosen in combinations(members, size)]
    theirs = [chosen for chosen in sets if other.election(chosen) == "won"]
    return all(chosen & quorum for chosen in sets if one.election(chosen) == "won" for quorum in theirs)


def majorities_overlap(one: tuple[NodeId, ...], other: tuple[NodeId, ...]) -> bool:
    """Whether each majority of one set shares a node with each of the other: both together need more than they share.

    A majority takes from the nodes that both sets have only what it can't find in its own alone.
    """
    common = len(set(one) & set(other))
    needed = (majority(len(half)) - (len(half) - common) for half in (one, other))
    return sum(max(0, share) for share in needed) > common


class Target(Message, frozen=True):
    """What the members shall be in the end."""

    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...] = ()
    witnesses: tuple[NodeId, ...] = ()

    def is_reached(self, now: Configuration) -> bool:
        """Whether the members are these and no change is under way."""
        same = (now.voters, now.learners) == (self.voters, self.learners)
        return same and not now.is_joint and set(now.witnesses) & set(now.members) == set(self.witnesses)


def normal(target: Target) -> Target:
    """The target with its members in order. Raises InvalidChange if no cluster could work so."""
    voters, learners, witnesses = (
        tuple(sorted(set(part))) for part in (target.voters, target.learners, target.witnesses)
    )
    if not voters:
        raise InvalidChange("a cluster needs a voter")
    if set(voters) & set(learners):
        raise InvalidChange("a node is a voter or a learner, not both")
    if not set(witnesses) <= set(voters):
        raise InvalidChange("a witness is one of the voters")
    if set(witnesses) == set(voters):
        raise InvalidChange("witnesses alone store nothing; a voter that is none must stay")
    return Target(voters, learners, witnesses)


def follow_up(now: Configuration, target: Target, *, joint: bool, leave: bool = True) -> Configuration:
    """The configuration to append next on the way to the target.

    A change of at most one voter is made at once, unless joint consensus is asked for; a greater one goes through it.

    Raises: InvalidChange if a change is under way, nothing would change, or a witness, even one that left, would turn
        into a full member or back: what its disk holds would not fit.
    """
    target = normal(target)
    if now.is_joint:
        raise InvalidChange("the configuration is joint: it must be left first")
    if target.is_reached(now):
        raise InvalidChange("these are the members already")
    full = {*target.voters, *target.learners} - set(target.witnesses)
    if full & set(now.witnesses):
        raise InvalidChange("a witness stores no payload, so it can't become a full member")
    if set(target.witnesses) & {*now.voters, *now.learners} - set(now.witnesses):
        raise InvalidChange("a full member can't become a witness; remove it first")
    changed = set(target.voters) ^ set(now.voters)
    outgoing = now.voters if joint or len(changed) > 1 else ()
    witnesses = tuple(sorted({*target.witnesses, *now.witnesses}))
    return Configuration(target.voters, outgoing, target.learners, witnesses, leave, now.serial + 1)


def leave_joint(now: Configuration) -> Configuration:
    """C-new behind C-old,new. Raises InvalidChange if there is nothing to leave."""
    if not now.is_joint:
        raise InvalidChange("the configuration is not joint")
    return Configuration(now.voters, (), now.learners, now.witnesses, serial=now.serial + 1)


def catching_up(now: Configuration, target: Target) -> Configuration | None:
    """The step that lets new voters get the log before they count (thesis §4.2.1): they become learners first.

    Returns: None if every voter of the target is a member.
    """
    missing = set(target.voters) - set(now.members)
    if not missing:
        return None
    learners = tuple(sorted({*now.learners, *missing}))
    witnesses = tuple(sorted({*now.witnesses, *(missing & set(target.witnesses))}))
    return msgspec.structs.replace(now, learners=learners, witnesses=witnesses, serial=now.serial + 1)
