"""Raft's log replication and its commit rule (§5.3, §5.4.2).

A leader pipelines: it sends on without waiting for the last answer, up to a window, and probes one message at a time
once a follower said no. With `parallel_write` it sends entries while its own disk still writes them (Ongaro's thesis,
2014, §10.2.1); its own copy then counts only when the disk has told that it is there.
"""

import msgspec

from actors.client import Command, Reply
from actors.message import Message, NodeId
from actors.protocols.raft_base import RaftBase, names, without_payload
from actors.protocols.raft_messages import Appended, AppendEntries, Committed, LogChanged, LogStored, Rejected
from actors.state.configuration import Configuration
from actors.state.log import Entry, LogId, size_bytes
from actors.state.progress import Progress


class Replication(RaftBase):
    """From the leader's log to everybody's state machine."""

    # the leader sends

    def add(self, entry: Entry) -> None:
        """Append to the leader's own log; what has gathered by the end of the turn is sent at once."""
        after = self.log.last_index
        self.log.extend((entry,))
        self.node.append("log", (entry,))
        self.node.emit(LogChanged(after, names((entry,))))
        if type(entry.command) is Configuration:
            self.reach(entry.command, after + 1)
        self.node.set_timer("replicate", 0)

    def on_replicate(self) -> None:
        """Send what is new to all followers."""
        if self.role != "leader":
            return
        if self.settings.parallel_write:
            self.node.send(self.node.id, LogStored(self.term, self.log.last_index))
        last = self.log.last_index
        for peer, follower in self.progress.items():
            if not follower.probing and follower.next <= last:
                self.send_entries(peer, follower)
        if len(self.configuration.voters) == 1:
            self.advance_commit()  # nobody else's answer may be needed

    def send_heartbeats(self) -> None:
        """One message to every follower, with what it lacks if its window is open."""
        if self.settings.counts_rounds and self.version > 1:
            self.round += 1
            self.sent_rounds[self.round] = self.node.monotonic_ns()
        for peer, follower in self.progress.items():
            self.send_entries(peer, follower, heartbeat=True)

    def send_entries(self, peer: NodeId, follower: Progress, *, heartbeat: bool = False) -> None:
        """Send the next entries, or a part of a snapshot where they are gone; nothing if the window is shut."""
        if self.node.fails("raft.send-entries"):
            return
        if follower.snapshot is not None or follower.next <= self.log.start:
            self.send_snapshot(peer, follower)
            return
        most, limit = self.settings.batch, self.window_bytes
        if not follower.probing and follower.is_full(self.settings.in_flight, limit):
            if not heartbeat:
                return
            most = 0
        entries = self.log.after(follower.next - 1, most)
        if peer in self.configuration.witnesses:
            entries = tuple(map(without_payload, entries))
        previous = self.log.id_at(follower.next - 1)
        self.post(peer, AppendEntries(self.term, previous, entries, self.commit, self.round))
        if entries and not follower.probing:
            follower.sent(previous.index + len(entries), 0 if limit is None else sum(map(size_bytes, entries)))

    def post(self, peer: NodeId, message: Message) -> None:
        """Send to a follower; beside the leader's own write, if it may overlap it.

        Only once the disk has told of an entry of this term, and so of the term itself: a leader elected by its own
        vote alone would else speak of a term that it may forget.
        """
        if self.settings.parallel_write and self.stored:
            self.node.send_unsaved(peer, message)
        else:
            self.node.send(peer, message)

    def on_log_stored(self, _: NodeId, stored: LogStored) -> None:
        """This leader's own disk holds its log up to here, unless it is of a term that is over."""
        if self.role == "leader" and stored.term == self.term and stored.index > self.stored:
            self.stored = stored.index
            self.advance_commit()

    # a follower takes

    def on_append_entries(self, leader: NodeId, request: AppendEntries) -> None:
        """Take the leader's entries if ours agree with what comes before them (§5.3)."""
        previous = request.previous
        if request.term < self.term:
            self.node.send(leader, Rejected(self.term, previous.index, 0))
            return
        self.follow(leader, request.term)
        answered = request.round if self.version > 1 else 0
        if previous.index < self.log.start:
            request = self.behind_base(request)
            previous = request.previous
        if not self.log.holds(previous):
            self.node.send(leader, Rejected(self.term, previous.index, self.hint(previous.index), answered))
            return
        self.take_entries(request)
        match = self.new_end(request)
        self.commit_up_to(min(request.commit, match))
        self.acknowledge(leader, Appended(self.term, match, answered))

    def new_end(self, request: AppendEntries) -> int:
        """Up to where this log is known to be the leader's: to the last new entry, not to its own end (figure 2)."""
        return request.previous.index + len(request.entries)

    def acknowledge(self, leader: NodeId, reply: Appended) -> None:
        """Tell the leader what is on this disk, once it is."""
        self.node.send(leader, reply)

    def behind_base(self, request: AppendEntries) -> AppendEntries:
        """The part of a message that lies behind what is compacted here, which was committed and so agrees."""
        base = self.log.base
        entries = request.entries[base.index - request.previous.index :]
        return msgspec.structs.replace(request, previous=base, entries=entries)

    def take_entries(self, request: AppendEntries) -> None:
        """Cut the log where it conflicts with the leader's, never where it is only longer; then append."""
        known = self.log.first_conflict(request.previous.index, request.entries)
        if known is None:
            return
        after, fresh = request.previous.index + known, request.entries[known:]
        if after < self.log.last_index:
            self.cut(after)
        self.log.extend(fresh)
        self.node.append("log", fresh)
        self.node.emit(LogChanged(after, names(fresh)))
        for offset, entry in enumerate(fresh, start=1):
            if type(entry.command) is Configuration:
                self.reach(entry.command, after + offset)

    def cut(self, last: int) -> None:
        """Drop the entries behind `last`, and the configurations that they brought (§6)."""
        self.log.cut(last)
        self.node.cut("log", last - self.log.start)
        self.revert_configurations(last)

    def hint(self, previous: int) -> int:
        """Up to where the logs may agree: before this node's whole run of the conflicting term."""
        if previous > self.log.last_index:
            return self.log.last_index
        return self.log.start_of_term(previous) - 1

    # the leader hears

    def heard_from(self, peer: NodeId, term: int, answered: int) -> Progress | None:
        """Note that a follower answered. Returns what is known of it; None if the answer is of no use any more."""
        if term > self.term:
            self.become_follower(term)
        if self.role != "leader" or term != self.term:
            return None
        follower = self.progress.get(peer)
        if follower is not None:
            follower.active = True
            if answered > follower.round:
                follower.round = answered
                self.round_answered()
        return follower

    def on_appended(self, peer: NodeId, reply: Appended) -> None:
        """A follower agrees up to `match`; matches only grow within a term."""
        follower = self.heard_from(peer, reply.term, reply.round)
        if follower is None:
            return
        if follower.agree(reply.match):
            if reply.match > self.commit:
                self.advance_commit()
            if self.goal is not None or self.transferee is not None:
                self.go_on_with_changes()
                self.go_on_with_transfer(peer, follower)
        if self.role == "leader" and follower.next <= self.log.last_index:
            self.send_entries(peer, follower)

    def on_rejected(self, peer: NodeId, reply: Rejected) -> None:
        """A follower lacks what went before: go back to where it may agree, and probe from there."""
        follower = self.heard_from(peer, reply.term, reply.round)
        if follower is not None and follower.snapshot is None and follower.refuse(reply.previous, reply.hint):
            self.send_entries(peer, follower)

    # the commit rule (§5.3, §5.4.2) and the state machine

    def own_match(self) -> int:
        """Up to where this leader's own disk holds its log, before any follower can say that its own does.

        Its entries are on its disk before they leave, unless it writes in parallel.
        """
        return self.stored if self.settings.parallel_write else self.log.last_index

    def advance_commit(self) -> None:
        """Commit what a majority holds, but count copies only of entries of this term (§5.4.2)."""
        reached = {peer: follower.match for peer, follower in self.progress.items()}
        reached[self.node.id] = self.own_match()
        index = self.configuration.agreed(reached)
        if index > self.commit and self.is_of_own_term(index):
            self.commit_up_to(index)

    def is_of_own_term(self, index: int) -> bool:
        """Copies are counted for such an entry only; those before it are committed along with it (figure 8)."""
        return self.log.term_at(index) == self.term

    def commit_up_to(self, index: int) -> None:
        """Apply what is newly committed, in order, and answer the clients that wait for it."""
        if index <= self.commit:
            return
        fresh, at = self.log.after(self.commit, index - self.commit), self.commit
        self.commit = index
        self.node.emit(Committed(self.term, index))
        expiry = self.settings.session_entries
        apply = self.keep if self.is_witness else self.apply
        reconfigured = 0
        for entry in fresh:
            at += 1
            command = entry.command
            if type(command) is Command:
                apply(command, at)
            elif command is not None:
                reconfigured = at
            if expiry is not None and at % max(1, expiry // 4) == 0:
                self.machine.expire(at - expiry)  # every quarter, at the same entries everywhere (thesis §6.3)
        self.applied = at
        self.after_commit(reconfigured)

    def after_commit(self, reconfigured: int) -> None:
        """What waited for commits goes on."""
        if reconfigured:
            self.configuration_committed(reconfigured)
        if self.early_reads:
            self.begin_early_reads()
        if self.later_reads:
            self.answer_later_reads()
        if self.goal is not None:
            self.go_on_with_changes()
        every = self.settings.snapshot_every
        if every is not None and self.applied - (self.snapshot.last.index if self.snapshot else 0) >= every:
            self.take_snapshot()

    def apply(self, command: Command, at: int) -> None:
        """Carry out one committed command; its client is answered by the leader that took it."""
        error, value = self.machine.apply(command, at)
        if self.waiting:
            waiting = self.waiting.pop(at, None)
            if waiting is not None:
                self.uncommitted_bytes -= waiting.size_bytes
                self.post(waiting.client, Reply(command.process, command.serial, error, value))

    def keep(self, command: Command, at: int) -> None:
        """A witness knows no more of a command than its name."""


def place_of(id_: LogId) -> tuple[int, int]:
    """A log id as a fact for the disk."""
    return id_.term, id_.index
