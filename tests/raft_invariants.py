"""Raft's safety properties (figure 3), held against all cores of a cluster after every step.

An oracle of its own: it looks at the cores' logs and states, not at what they say of themselves.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from actors.election import RoleChanged
from actors.message import Event, NodeId
from actors.protocols.raft import Raft
from actors.state.configuration import Configuration
from actors.state.log import Entry


class Violation(AssertionError):
    """One of Raft's promises is broken; says which, and by whom."""


def name_of(entry: Entry) -> tuple[int, int, int]:
    """An entry without its payload, which a witness doesn't have."""
    command = entry.command
    return (entry.term, command.process, command.serial) if command else (entry.term, -1, 0)


class RaftInvariants:
    """What was promised so far, and whether it still holds."""

    def __init__(self) -> None:
        self.leaders: dict[int, NodeId] = {}
        self.committed: list[tuple[int, int, int]] = []  # by index - 1
        self.commit_terms: list[int] = []  # the earliest term in which each was known to be committed
        self.configurations: dict[int, Configuration] = {}  # committed ones by index
        self.leader_logs: dict[NodeId, tuple[int, int, Any]] = {}  # node -> (term, last index, last id) while it leads
        self.commits: dict[NodeId, int] = {}
        self.applied: dict[int, tuple[Any, ...]] = {}  # applied index -> state of the machine
        self.forced = False  # an operator gave up on what a lost majority held

    def crashed(self, node: NodeId) -> None:
        """What a node had in memory is gone: its commit index may start again."""
        self.commits.pop(node, None)
        self.leader_logs.pop(node, None)

    def observe(self, node: NodeId, event: Event, actor: Raft | None) -> None:
        """Election safety and leader completeness, at the moment of an election."""
        if not isinstance(event, RoleChanged) or event.role != "leader":
            return
        other = self.leaders.setdefault(event.term, node)
        if other != node:
            raise Violation(f"election safety: nodes {other} and {node} lead in term {event.term}")
        if actor is not None and actor.term == event.term and not self.forced:
            self.judge_completeness(node, actor)

    def judge_completeness(self, node: NodeId, actor: Raft) -> None:
        for index, name in enumerate(self.committed, start=1):
            if self.commit_terms[index - 1] >= actor.term or index <= actor.log.start:
                continue
            if index > actor.log.last_index or name_of(actor.log[index]) != name:
                raise Violation(f"leader completeness: node {node} of term {actor.term} lacks entry {index}, {name}")

    def judge(self, actors: Mapping[NodeId, Raft]) -> None:
        """All that must hold of the cores as they are now."""
        for node, actor in actors.items():
            self.judge_append_only(node, actor)
            self.judge_commits(node, actor)
            self.judge_state(node, actor)
        for one, other in combinations(sorted(actors), 2):
            self.judge_matching(one, actors[one], other, actors[other])

    def judge_append_only(self, node: NodeId, actor: Raft) -> None:
        """Leader append-only: a leader never overwrites or deletes entries in its log."""
        if actor.role != "leader":
            self.leader_logs.pop(node, None)
            return
        term, last, name = self.leader_logs.get(node, (0, 0, None))
        log = actor.log
        kept = last <= log.start or (last <= log.last_index and name_of(log[last]) == name)
        if term == actor.term and not kept:
            raise Violation(f"leader append-only: node {node} changed entry {last} in its term {term}")
        self.leader_logs[node] = (actor.term, log.last_index, name_of(log.entries[-1]) if log.entries else None)

    def judge_commits(self, node: NodeId, actor: Raft) -> None:
        """State-machine safety: no two nodes commit different entries at an index; no commit is taken back."""
        before = self.commits.get(node, actor.log.start)
        if actor.commit < before:
            raise Violation(f"commit safety: node {node} took its commit index from {before} to {actor.commit}")
        for index in range(max(before, actor.log.start) + 1, actor.commit + 1):
            if index > actor.log.last_index:
                raise Violation(f"commit safety: node {node} committed {index}, which it does not hold")
            self.judge_commit(node, index, actor)
        self.commits[node] = actor.commit

    def judge_commit(self, node: NodeId, index: int, actor: Raft) -> None:
        entry = actor.log[index]
        if index <= len(self.committed):
            if self.committed[index - 1] != name_of(entry) and not self.forced:
                found = self.committed[index - 1]
                raise Violation(f"state-machine safety: node {node} commits {name_of(entry)} at {index}, not {found}")
            self.commit_terms[index - 1] = min(self.commit_terms[index - 1], actor.term)
            return
        if index > len(self.committed) + 1:
            return  # a node that a snapshot brought here; what lies between was committed by others, now gone
        self.committed.append(name_of(entry))
        self.commit_terms.append(actor.term)
        if isinstance(entry.command, Configuration):
            self.judge_overlap(index, entry.command)

    def judge_overlap(self, index: int, configuration: Configuration) -> None:
        """Configurations overlap: a quorum of a committed one shares a node with every quorum of the one before."""
        earlier = [at for at in self.configurations if at < index]
        if earlier and not self.forced:
            before = self.configurations[max(earlier)]
            if not overlap(before, configuration):
                raise Violation(f"configurations: {before} and {configuration} have quorums without a common node")
        self.configurations[index] = configuration

    def judge_state(self, node: NodeId, actor: Raft) -> None:
        """The same entries give the same state, sessions and all."""
        if actor.is_witness or self.forced:
            return
        items = actor.machine.items()
        if self.applied.setdefault(actor.applied, items) != items:
            raise Violation(f"state-machine safety: node {node} has another state than others at {actor.applied}")

    def judge_matching(self, one: NodeId, left: Raft, other: NodeId, right: Raft) -> None:
        """Log matching: entries of one index and term are the same, and so is all that comes before them."""
        first = max(left.log.start, right.log.start) + 1
        same = False
        for index in range(min(left.log.last_index, right.log.last_index), first - 1, -1):
            mine, theirs = left.log[index], right.log[index]
            if mine.term == theirs.term:
                same = True
            if same and name_of(mine) != name_of(theirs):
                raise Violation(f"log matching: nodes {one} and {other} differ at {index}, but agree behind it")


def overlap(one: Configuration, other: Configuration) -> bool:
    """Whether every quorum of one configuration shares a node with every quorum of the other; by brute force."""
    members = sorted({*one.members, *other.members})
    sets = [set(chosen) for size in range(len(members) + 1) for chosen in combinations(members, size)]
    quorums = [chosen for chosen in sets if one.election(chosen) == "won"]
    others = [chosen for chosen in sets if other.election(chosen) == "won"]
    return all(quorum & theirs for quorum in quorums for theirs in others)
