"""Raft's safety properties, held against what its nodes told of their logs.

Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (extended version), 2014, figure 3.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from actors.election import RoleChanged
from actors.protocols.raft_messages import (
    Committed,
    Compacted,
    EntryName,
    LogChanged,
    MembersChanged,
    QuorumForced,
)
from actors.state.configuration import Configuration, overlap
from cluster.topology import Topology
from experiments.checkers.election_safety import leaders_by_term, two_leaders
from experiments.checkers.verdict import Verdict
from experiments.recording import Observed

LISTED = 10  # violations of each property
PROPERTIES = (
    "election safety",
    "leader append-only",
    "log matching",
    "leader completeness",
    "state machine safety",
    "configurations overlap",
)


def raft_safety(events: Iterable[Observed], topology: Topology) -> Verdict:
    """The five properties of figure 3, and that committed configurations in a row have overlapping quorums (§6).

    Sound: each violation is one of the recorded run. Complete for what was recorded: durable logs as nodes told
    them, commits as nodes knew them. An entry that was committed though nobody lived to say so is not known of.

    Args:
        events: of all nodes in order of time; each node's own order is what counts.

    Returns: invalid with the nodes, terms and indices by property; unknown if nobody was ever elected, or the
        events leave a hole in a log.
    """
    observed = list(events)
    replay = Replay(topology)
    replay.found["election safety"] = [
        {"term": term, "nodes": names, "what": two_leaders(term, names)}
        for term, names in _split_terms(observed, topology)
    ]
    for one in observed:
        replay.take(one)
    replay.judge_leaders()
    return _verdict(replay)


def _split_terms(events: list[Observed], topology: Topology) -> list[tuple[int, list[str]]]:
    leaders = sorted(leaders_by_term(events).items())
    return [(term, topology.names(nodes).split(",")) for term, nodes in leaders if len(nodes) > 1]


def _verdict(replay: "Replay") -> Verdict:
    broken = [name for name in PROPERTIES if replay.found[name]]
    reason = "; ".join(f"{name}: {replay.found[name][0]['what']}" for name in broken)
    unknown = "" if replay.elections else "nobody was ever elected, so nothing was tested"
    unknown = unknown or (replay.holes[0] if replay.holes else "")
    return Verdict(
        valid=False if broken else "unknown" if unknown else True,
        checked=len(replay.elections) + len(replay.committed),
        method="replay of logs, commits and elections",
        reason=reason or unknown,
        evidence={
            "elections": len(replay.elections),
            "committed": len(replay.committed),
            "violations": {name: replay.found[name][:LISTED] for name in broken},
        },
    )


class Election(NamedTuple):
    """A node becomes leader, with this log."""

    node: int
    term: int
    log: list[EntryName]


class Placed(NamedTuple):
    """An entry as first seen at an (index, term)."""

    entry: EntryName
    before: int  # the term of the entry before it, 0 at the start
    node: int


class Replay:
    """The logs of all nodes at one moment, and what was committed and elected so far."""

    def __init__(self, topology: Topology) -> None:
        self.name = topology.name
        self.logs: dict[int, list[EntryName]] = defaultdict(list)
        self.placed: dict[tuple[int, int], Placed] = {}
        self.committed: list[EntryName] = []  # as first told, by index
        self.first_by: list[int] = []  # the node that told it
        self.agreed: dict[int, int] = defaultdict(int)  # up to where a node's commits were compared
        self.reach: dict[int, int] = defaultdict(int)  # term -> the greatest index known committed in it
        self.elections: list[Election] = []
        self.found: dict[str, list[dict[str, Any]]] = {name: [] for name in PROPERTIES}
        self.holes: list[str] = []
        self.leading: set[int] = set()
        self.members: dict[tuple[int, int], MembersChanged] = {}  # by (index, term) of its entry
        self.forced = False  # an operator gave up on what lost nodes held: what follows may break promises

    def take(self, observed: Observed) -> None:
        """Go on by one event."""
        node, event = observed.node, observed.event
        if isinstance(event, LogChanged):
            self.change_log(node, event)
        elif isinstance(event, Committed):
            self.commit(node, event)
        elif isinstance(event, Compacted):
            self.compact(node, event)
        elif isinstance(event, MembersChanged):
            self.members.setdefault((event.index, event.term), event)
        elif isinstance(event, QuorumForced):
            self.forced = True
        elif isinstance(event, RoleChanged):
            self.leading.discard(node)
            if event.role == "leader":
                self.leading.add(node)
                if not self.forced:
                    self.elections.append(Election(node, event.term, list(self.logs[node])))

    def change_log(self, node: int, change: LogChanged) -> None:
        """Log matching: one entry at an (index, term), and one term before it. By induction the rest follows."""
        log = self.logs[node]
        if node in self.leading and change.after < len(log):
            what = f"{self.name(node)} cut its own log from {len(log)} to {change.after} entries while it led"
            self.found["leader append-only"].append({"index": change.after, "nodes": [self.name(node)], "what": what})
        if change.after > len(log):
            self.holes.append(
                f"the recording has a hole: {self.name(node)}'s log skips from {len(log)} to {change.after}"
            )
            return
        del log[change.after :]
        self.agreed[node] = min(self.agreed[node], change.after)
        for entry in change.entries:
            before = log[-1][0] if log else 0
            log.append(entry)
            here = Placed(entry, before, node)
            first = self.placed.setdefault((len(log), entry[0]), here)
            if (first.entry, first.before) != (entry, before):
                self.mismatch(len(log), first, here)

    def mismatch(self, index: int, first: Placed, other: Placed) -> None:
        term = other.entry[0]
        one, two = self.name(first.node), self.name(other.node)
        differs = (
            f"hold different entries, {_entry(first.entry)} and {_entry(other.entry)}"
            if first.entry != other.entry
            else f"agree, but the entries before it are of terms {first.before} and {other.before}"
        )
        what = f"at index {index}, term {term}, the logs of {one} and {two} {differs}"
        self.found["log matching"].append({"index": index, "term": term, "nodes": [one, two], "what": what})

    def compact(self, node: int, change: Compacted) -> None:
        """The log begins behind a committed entry: one that stands there already, or a snapshot's last one."""
        log = self.logs[node]
        if change.index <= len(log) and (not change.index or log[change.index - 1][0] == change.term):
            return
        if change.index > len(self.committed):
            self.holes.append(
                f"the recording has a hole: {self.name(node)} has a snapshot up to {change.index}, "
                f"but what is known to be committed ends at {len(self.committed)}"
            )
            return
        self.logs[node] = self.committed[: change.index]
        self.agreed[node] = change.index
        if self.committed[change.index - 1][0] != change.term:
            self.diverge(change.index - 1, node)

    def commit(self, node: int, commit: Committed) -> None:
        """State machine safety: at each index all nodes commit the same entry."""
        log = self.logs[node]
        if commit.index > len(log):
            hole = f"{self.name(node)} commits up to {commit.index}, but its log ends at {len(log)}"
            self.holes.append(f"the recording has a hole: {hole}")
            return
        self.reach[commit.term] = max(self.reach[commit.term], commit.index)
        for position in range(self.agreed[node], commit.index):
            if position == len(self.committed):
                self.committed.append(log[position])
                self.first_by.append(node)
                self.judge_members(position + 1, log[position])
            elif self.committed[position] != log[position] and not self.forced:
                self.diverge(position, node)
        self.agreed[node] = max(self.agreed[node], commit.index)

    def judge_members(self, index: int, entry: EntryName) -> None:
        """A configuration is committed: no quorum of it may do without the one before (§6)."""
        change = self.members.get((index, entry[0])) if entry[1] == Configuration.process else None
        if change is not None and not self.forced and not overlap(change.before, change.configuration):
            what = f"at index {index} {change.configuration} follows {change.before}: quorums without a common node"
            self.found["configurations overlap"].append({"index": index, "what": what})

    def diverge(self, position: int, node: int) -> None:
        one, two = self.name(self.first_by[position]), self.name(node)
        first, other = _entry(self.committed[position]), _entry(self.logs[node][position])
        what = f"at index {position + 1} {one} committed {first} and {two} committed {other}"
        self.found["state machine safety"].append({"index": position + 1, "nodes": [one, two], "what": what})

    def judge_leaders(self) -> None:
        """Leader completeness: what was committed in earlier terms stands in the log of each new leader.

        When the commit became known plays no part: an entry of term 3 that a majority holds is in the log of the
        leader of term 4, even if the old leader counts the answers later than that election.
        """
        for election in self.elections:
            due = max((index for term, index in self.reach.items() if term < election.term), default=0)
            due = min(due, len(self.committed))
            if election.log[:due] != self.committed[:due]:
                self.incomplete(election, due)

    def incomplete(self, election: Election, due: int) -> None:
        log = election.log
        pairs = enumerate(self.committed[:due])
        index = next(place for place, entry in pairs if place >= len(log) or log[place] != entry) + 1
        has = _entry(log[index - 1]) if index <= len(log) else "nothing"
        term = min(term for term, reach in self.reach.items() if reach >= index)
        lost = f"{_entry(self.committed[index - 1])}, committed at index {index} in term {term}"
        what = f"{self.name(election.node)} became leader of term {election.term} with {has} in place of {lost}"
        self.found["leader completeness"].append(
            {"index": index, "term": election.term, "nodes": [self.name(election.node)], "what": what}
        )


def _entry(entry: EntryName) -> str:
    term, process, serial = entry
    return f"the empty entry of term {term}" if process < 0 else f"command {process}/{serial} of term {term}"
