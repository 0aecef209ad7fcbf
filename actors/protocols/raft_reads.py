"""Reads that don't go through the log (Ongaro's thesis, 2014, §6.4): five ways, from the safest to the cheapest.

*log*: a read is a command like any other. *read-index*: the leader notes its commit index, makes sure by a round of
heartbeats that it still led after the read came, and answers once it has applied so far. *lease*: a round that a
quorum answered keeps other leaders away for an election time-out, so no round is needed as long as clocks drift within
their bound; if they drift more, reads can be stale. *follower*: any server asks the leader for the index and answers
from its own state. *stale*: any server answers at once.
"""

from actors.client import Command, Reply
from actors.message import NodeId
from actors.protocols.raft_base import RaftBase, Reading
from actors.protocols.raft_messages import ReadAt, ReadIndex

ASK_THE_LEADER = -1  # in place of an index


class Reads(RaftBase):
    """One read from its question to its answer."""

    def read(self, client: NodeId, command: Command) -> None:
        """Answer a client's read in the way that the settings name."""
        if self.settings.reads == "stale":
            self.read_here(client, command)
        elif self.role == "leader":
            self.read_as_leader(Reading(client, 0, command))
        elif self.settings.reads == "follower" and self.leader is not None and not self.is_witness:
            self.reads_asked += 1
            self.asked[self.reads_asked] = Reading(client, self.reads_asked, command)
            self.node.send(self.leader, ReadIndex(self.reads_asked))
        else:
            self.redirect(client, command, self.leader)

    # the leader's part

    def read_as_leader(self, reading: Reading) -> None:
        """Answer with what is committed now, once it is sure that this server still leads (§6.4, steps 1 to 5)."""
        if self.log.term_at(self.commit) != self.term:
            self.early_reads.append(reading)  # what earlier leaders committed is known only with an own commit
        elif not self.understands_rounds():
            self.read_through_log(reading)
        elif self.holds_lease():
            self.answer(self.at_commit(reading))
        else:
            self.unconfirmed.append(self.at_commit(reading))
            self.node.set_timer("confirm", 0)

    def at_commit(self, reading: Reading) -> Reading:
        """The read with the index that it needs, and the next round, whose heartbeats leave after it came."""
        return Reading(reading.asker, reading.number, reading.command, self.commit, self.round + 1)

    def begin_early_reads(self) -> None:
        """Reads that waited for this term's first commit."""
        if self.role == "leader" and self.log.term_at(self.commit) == self.term:
            early, self.early_reads = self.early_reads, []
            for reading in early:
                self.read_as_leader(reading)

    def understands_rounds(self) -> bool:
        """Whether a quorum has answered a round, which servers of message version 1 don't."""
        return self.version > 1 and (self.answered_round > 0 or self.configuration.election([self.node.id]) == "won")

    def read_through_log(self, reading: Reading) -> None:
        """While old servers are around: the leader appends a client's read; a follower's client must come itself."""
        if reading.command is not None:
            self.propose(reading.asker, reading.command)
        else:
            self.node.send(reading.asker, ReadAt(reading.number, ASK_THE_LEADER))

    def on_confirm(self) -> None:
        """One round of heartbeats for all reads that have gathered."""
        if self.role == "leader" and self.unconfirmed:
            self.send_heartbeats()
            self.round_answered()  # a cluster of one has nobody to ask

    def round_answered(self) -> None:
        """Answer the reads whose round a quorum has answered (step 3); a lease counts from when that round was sent."""
        rounds = {peer: follower.round for peer, follower in self.progress.items()}
        rounds[self.node.id] = self.round
        answered = self.configuration.agreed(rounds)
        if answered > self.answered_round:
            for number in range(self.answered_round, answered):
                self.sent_rounds.pop(number, None)
            self.answered_round = answered
        while self.unconfirmed and self.unconfirmed[0].round <= self.answered_round:
            self.answer(self.unconfirmed.pop(0))

    def holds_lease(self) -> bool:
        """Whether no other server can lead yet, if clocks keep their bound; not after another was asked to stand."""
        if self.settings.reads != "lease" or self.handed_over:
            return False
        since_ns = self.sent_rounds.get(self.answered_round)
        return since_ns is not None and self.node.monotonic_ns() - since_ns < self.lease_ns()

    def lease_ns(self) -> int:
        """How long a lease lasts by this server's clock."""
        return self.settings.lease_ns

    def answer(self, reading: Reading) -> None:
        """The leader's word: to its client the value, to a follower the index."""
        if reading.command is not None:
            self.read_here(reading.asker, reading.command)
        else:
            self.node.send(reading.asker, ReadAt(reading.number, reading.index))

    # a follower's part (thesis §6.4, last paragraphs)

    def on_read_index(self, follower: NodeId, request: ReadIndex) -> None:
        """A follower wants to know up to where it must have come; who doesn't lead stays silent."""
        if self.role == "leader":
            self.read_as_leader(Reading(follower, request.number, None))

    def on_read_at(self, _: NodeId, reply: ReadAt) -> None:
        """The leader's word for one of this server's reads."""
        reading = self.asked.pop(reply.number, None)
        if reading is None or reading.command is None:
            return
        if reply.index == ASK_THE_LEADER:
            self.redirect(reading.asker, reading.command, self.leader)
        else:
            self.later_reads.append(Reading(reading.asker, reading.number, reading.command, reply.index))
            self.answer_later_reads()

    def answer_later_reads(self) -> None:
        """Answer those that the state machine has come far enough for."""
        later, self.later_reads = self.later_reads, []
        for reading in later:
            if reading.index > self.applied:
                self.later_reads.append(reading)
            elif reading.command is not None:
                self.read_here(reading.asker, reading.command)

    # any server's part

    def read_here(self, client: NodeId, command: Command) -> None:
        """Answer from this server's state; within the bound on staleness, if there is one."""
        bound_ns = self.settings.staleness_ns
        stale = self.settings.reads == "stale" and self.role != "leader"
        if self.is_witness or (stale and bound_ns is not None and not self.is_fresh(bound_ns)):
            self.redirect(client, command, self.leader)
            return
        self.node.send(client, Reply(command.process, command.serial, None, self.machine.peek(command.key)))

    def is_fresh(self, bound_ns: int) -> bool:
        """Whether a leader was heard within this time. What it had committed by then may have taken a message more."""
        return self.leader is not None and self.node.monotonic_ns() - self.heard_ns <= bound_ns
