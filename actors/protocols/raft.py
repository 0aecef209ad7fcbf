"""Raft: elections, log replication and the commit rule, over a key-value state machine.

Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (extended version), 2014; section
numbers are that paper's. What differs from its figure 2: a leader pipelines (it sends on without waiting for the
last answer, and probes one message at a time once a follower said no), and client commands go through the log
whether they write or read.

What must be on disk before others hear of it (term, vote, log) is saved in the handler that changes it; the node's
barrier keeps every later message back until it is durable. So a follower's answer implies its own durable log, and
since the leader's entries are saved before they are sent, also the leader's.
"""

from typing import ClassVar

import msgspec

from actors.client import Redirect, Reply, Request
from actors.election import Role, RoleChanged
from actors.message import NodeId
from actors.node import Actor, Node
from actors.protocols.raft_messages import (
    Appended,
    AppendEntries,
    Committed,
    EntryName,
    LogChanged,
    RaftSettings,
    Rejected,
    RequestVote,
    Vote,
)
from actors.state.key_value import KeyValue
from actors.state.log import Entry, Log


class Progress(msgspec.Struct):
    """What a leader knows of one follower's log."""

    next: int  # the first entry to send
    match: int = 0  # the log is known to agree up to here
    probing: bool = False  # one message at a time, until the follower agrees somewhere


class Waiting(msgspec.Struct, frozen=True):
    """A client whose command stands in this leader's log, not yet committed."""

    client: NodeId
    process: int
    serial: int


class Raft(Actor):
    """One Raft server."""

    settings_type = RaftSettings
    logs: ClassVar = {"log": Entry}
    volatile: ClassVar = {
        "role": Role,
        "leader": NodeId | None,
        "term": int,
        "voted_for": NodeId | None,
        "log": Log,
        "commit": int,
        "applied": int,
        "votes": list[NodeId],
        "progress": dict[NodeId, Progress],
        "waiting": dict[int, Waiting],
        "machine": KeyValue,
    }

    def __init__(self, node: Node, settings: RaftSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.others = tuple(peer for peer in node.peers if peer != node.id)
        self.role: Role = "follower"
        self.leader: NodeId | None = None
        self.term = 0
        self.voted_for: NodeId | None = None
        self.log = Log()
        self.commit = 0
        self.applied = 0
        self.votes: list[NodeId] = []
        self.progress: dict[NodeId, Progress] = {}
        self.waiting: dict[int, Waiting] = {}
        self.machine = KeyValue()
        self.timeouts = node.random("election time-out")

    def start(self) -> None:
        """Take up term, vote and log from disk (figure 2, persistent state), as a follower."""
        disk = self.node.load()
        self.term = disk.facts.get("term", 0)
        self.voted_for = disk.facts.get("voted_for")
        self.log.extend(disk.logs.get("log", []))
        self.node.emit(RoleChanged("follower", self.term))
        self.node.emit(LogChanged(0, names(self.log.entries)))
        self.reset_election_timer()

    # roles: the only places where they change

    def become_follower(self, term: int) -> None:
        """Step down, into a later term if this is one (§5.1)."""
        if term > self.term:
            self.term, self.voted_for, self.leader = term, None, None
            self.node.save(term=term, voted_for=None)
        if self.role == "leader":
            self.node.cancel_timer("heartbeat")
            self.reset_election_timer()
            self.give_up_waiting()
        self.role = "follower"
        self.node.emit(RoleChanged("follower", self.term))

    def become_candidate(self) -> None:
        """Start an election: next term, own vote, ask all (§5.2)."""
        self.role, self.leader = "candidate", None
        self.term += 1
        self.voted_for = self.node.id
        self.votes = [self.node.id]
        self.node.save(term=self.term, voted_for=self.voted_for)
        self.node.emit(RoleChanged("candidate", self.term))
        self.reset_election_timer()
        for peer in self.others:
            self.node.send(peer, RequestVote(self.term, self.log.last_id))
        self.count_votes()

    def become_leader(self) -> None:
        """Begin the term with an empty entry, whose commit commits all before it (§5.4.2, §8)."""
        self.role, self.leader = "leader", self.node.id
        self.progress = {peer: Progress(next=self.log.last_index + 1) for peer in self.others}
        self.node.cancel_timer("election")
        self.node.emit(RoleChanged("leader", self.term))
        self.add(Entry(self.term, None))
        self.on_heartbeat()

    # elections (§5.2)

    def reset_election_timer(self) -> None:
        least, most = self.settings.election_timeout_ns
        self.node.set_timer("election", self.timeouts.randint(least, most))

    def on_election(self) -> None:
        """Nobody led in time."""
        self.become_candidate()

    def on_request_vote(self, candidate: NodeId, request: RequestVote) -> None:
        """Grant one vote a term at most, and only to a log as good as ours (§5.2, §5.4.1)."""
        if request.term > self.term:
            self.become_follower(request.term)
        free = self.voted_for in (None, candidate)
        granted = request.term == self.term and free and self.is_up_to_date(request)
        if granted:
            self.voted_for = candidate
            self.node.save(term=self.term, voted_for=candidate)
            self.reset_election_timer()
        self.node.send(candidate, Vote(self.term, granted))

    def is_up_to_date(self, request: RequestVote) -> bool:
        """Whether a candidate's log is at least as good as this one (§5.4.1)."""
        return request.last_log >= self.log.last_id

    def on_vote(self, voter: NodeId, vote: Vote) -> None:
        """Count it, if it is for the election that is under way."""
        if vote.term > self.term:
            self.become_follower(vote.term)
        elif self.role == "candidate" and vote.term == self.term and vote.granted and voter not in self.votes:
            self.votes.append(voter)
            self.count_votes()

    def count_votes(self) -> None:
        if len(self.votes) >= self.majority():
            self.become_leader()

    def majority(self) -> int:
        """How many nodes decide: any two such sets share a node."""
        return len(self.node.peers) // 2 + 1

    # replication (§5.3)

    def add(self, entry: Entry) -> None:
        """Append to the leader's own log; what has gathered by the end of the turn is sent at once."""
        after = self.log.last_index
        self.log.extend((entry,))
        self.node.append("log", (entry,))
        self.node.emit(LogChanged(after, names((entry,))))
        self.node.set_timer("replicate", 0)

    def on_replicate(self) -> None:
        """Send what is new to all followers."""
        if self.role != "leader":
            return
        for peer in self.others:
            follower = self.progress[peer]
            if not follower.probing and follower.next <= self.log.last_index:
                self.send_entries(peer, follower)
        self.advance_commit()  # a cluster of one has nobody to wait for

    def on_heartbeat(self) -> None:
        """Tell all followers that the leader is there; what was lost is found out by their answers."""
        self.node.set_timer("heartbeat", self.settings.heartbeat_every_ns)
        for peer in self.others:
            self.send_entries(peer, self.progress[peer])

    def send_entries(self, peer: NodeId, follower: Progress) -> None:
        entries = self.log.after(follower.next - 1, self.settings.batch)
        previous = self.log.id_at(follower.next - 1)
        self.node.send(peer, AppendEntries(self.term, previous, entries, self.commit))
        if not follower.probing:
            follower.next += len(entries)

    def on_append_entries(self, leader: NodeId, request: AppendEntries) -> None:
        """Take the leader's entries if ours agree with what comes before them (§5.3)."""
        if request.term < self.term:
            self.node.send(leader, Rejected(self.term, request.previous.index, 0))
            return
        if request.term > self.term or self.role != "follower":
            self.become_follower(request.term)
        self.leader = leader
        self.reset_election_timer()
        if not self.log.holds(request.previous):
            self.node.send(leader, Rejected(self.term, request.previous.index, self.hint(request.previous.index)))
            return
        self.take_entries(request)
        match = request.previous.index + len(request.entries)
        self.commit_up_to(min(request.commit, match))
        self.node.send(leader, Appended(self.term, match))

    def take_entries(self, request: AppendEntries) -> None:
        """Cut the log where it conflicts with the leader's, never where it is only longer; then append."""
        known = self.log.first_conflict(request.previous.index, request.entries)
        if known is None:
            return
        after, fresh = request.previous.index + known, request.entries[known:]
        if after < self.log.last_index:
            self.log.cut(after)
            self.node.cut("log", after)
        self.log.extend(fresh)
        self.node.append("log", fresh)
        self.node.emit(LogChanged(after, names(fresh)))

    def hint(self, previous: int) -> int:
        """Up to where the logs may agree: before this node's whole run of the conflicting term."""
        if previous > self.log.last_index:
            return self.log.last_index
        return self.log.start_of_term(previous) - 1

    def on_appended(self, peer: NodeId, reply: Appended) -> None:
        """A follower agrees up to `match`; matches only grow within a term."""
        if reply.term > self.term:
            self.become_follower(reply.term)
        if self.role != "leader" or reply.term != self.term:
            return
        follower = self.progress[peer]
        follower.probing = False
        if reply.match > follower.match:
            follower.match = reply.match
            self.advance_commit()
        follower.next = max(follower.next, follower.match + 1)
        if follower.next <= self.log.last_index:
            self.send_entries(peer, follower)

    def on_rejected(self, peer: NodeId, reply: Rejected) -> None:
        """A follower lacks what went before: go back to where it may agree, and probe from there."""
        if reply.term > self.term:
            self.become_follower(reply.term)
        if self.role != "leader" or reply.term != self.term:
            return
        follower = self.progress[peer]
        if reply.previous <= follower.match or (follower.probing and reply.previous != follower.next - 1):
            return  # an answer to an earlier message, overtaken by what is known since
        follower.probing = True
        follower.next = max(follower.match, min(reply.hint, reply.previous - 1)) + 1
        self.send_entries(peer, follower)

    # the commit rule (§5.3, §5.4.2) and the state machine

    def advance_commit(self) -> None:
        """Commit what a majority holds, but count copies only of entries of this term (§5.4.2)."""
        matches = sorted((follower.match for follower in self.progress.values()), reverse=True)
        matches.insert(0, self.log.last_index)
        index = matches[self.majority() - 1]
        if index > self.commit and self.log.term_at(index) == self.term:
            self.commit_up_to(index)

    def commit_up_to(self, index: int) -> None:
        """Apply what is newly committed, in order, and answer the clients that wait for it."""
        if index <= self.commit:
            return
        self.commit = index
        self.node.emit(Committed(self.term, index))
        while self.applied < self.commit:
            self.applied += 1
            command = self.log[self.applied].command
            if command is None:
                continue
            error, value = self.machine.apply(command)
            waiting = self.waiting.pop(self.applied, None)
            if waiting is not None:
                self.node.send(waiting.client, Reply(command.process, command.serial, error, value))

    # clients (§8)

    def on_request(self, client: NodeId, request: Request) -> None:
        """Append a client's command if this is the leader, else say who is."""
        command = request.command
        if self.role != "leader":
            self.node.send(client, Redirect(command.process, command.serial, self.leader))
            return
        self.add(Entry(self.term, command))
        self.waiting[self.log.last_index] = Waiting(client, command.process, command.serial)

    def give_up_waiting(self) -> None:
        """A leader that steps down can't know what becomes of the commands that it took."""
        for waiting in self.waiting.values():
            self.node.send(waiting.client, Reply(waiting.process, waiting.serial, "leadership-lost", None))
        self.waiting.clear()

    def check(self) -> None:
        """What holds of one server at any time."""
        assert self.applied == self.commit, "committed entries are applied at once"
        assert self.commit <= self.log.last_index, "nothing beyond the log is committed"
        assert self.role != "leader" or self.leader == self.node.id
        assert self.role == "leader" or not self.waiting, "only a leader has clients waiting"
        assert self.role == "follower" or self.voted_for == self.node.id, "who runs has voted for itself"
        for follower in self.progress.values() if self.role == "leader" else ():
            assert follower.match < follower.next
            assert follower.match <= self.log.last_index

    handlers: ClassVar = {
        AppendEntries: on_append_entries,
        Appended: on_appended,
        Rejected: on_rejected,
        RequestVote: on_request_vote,
        Vote: on_vote,
        Request: on_request,
    }
    timers: ClassVar = {"election": on_election, "heartbeat": on_heartbeat, "replicate": on_replicate}
    events: ClassVar = (RoleChanged, LogChanged, Committed)


def names(entries: tuple[Entry, ...] | list[Entry]) -> tuple[EntryName, ...]:
    """The entries as observers see them."""
    return tuple(
        (entry.term, entry.command.process, entry.command.serial) if entry.command else (entry.term, -1, 0)
        for entry in entries
    )
