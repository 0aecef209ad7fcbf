"""Raft's elections: one vote a term, for a log as good as the voter's (§5.2, §5.4.1).

With what keeps a server that can't win from disturbing: the pre-vote (Ongaro's thesis, 2014, §9.6), leader stickiness
(§4.2.3: who hears a leader refuses its vote) and, on the leader's side, CheckQuorum (§6.2: who hears no quorum steps
down). With a one-way cut, stickiness alone would keep a leader that nobody's answers reach: it takes both.
"""

from actors.election import RoleChanged
from actors.message import NodeId
from actors.protocols.raft_base import RaftBase
from actors.protocols.raft_messages import PreVote, PreVoted, RequestVote, Vote
from actors.state.log import Entry, LogId
from actors.state.progress import Progress


class Elections(RaftBase):
    """Roles, votes and who may stand."""

    # roles: the only places where they change

    def become_follower(self, term: int) -> None:
        """Step down, into a later term if this is one (§5.1)."""
        if term > self.term:
            self.term, self.voted_for, self.leader = term, None, None
            self.node.save(term=term, voted_for=None)
        if self.role == "leader":
            self.stop_leading()
        self.role = "follower"
        self.polled = None
        self.node.emit(RoleChanged("follower", self.term))

    def stop_leading(self) -> None:
        """Drop what only a leader does; clients that wait are told that it can't know."""
        for timer in ("heartbeat", "quorum", "transfer"):
            self.node.cancel_timer(timer)
        self.reset_election_timer()
        self.give_up_waiting()
        self.begin_leading()
        if self.leader == self.node.id:
            self.leader = None

    def become_candidate(self, *, transfer: bool = False) -> None:
        """Start an election: next term, own vote, ask all (§5.2)."""
        self.role, self.leader, self.polled = "candidate", None, None
        self.term += 1
        self.voted_for = self.node.id
        self.votes, self.refusals = [self.node.id], []
        self.node.save(term=self.term, voted_for=self.voted_for)
        self.node.emit(RoleChanged("candidate", self.term))
        self.reset_election_timer()
        for peer in self.other_voters():
            self.node.send(peer, RequestVote(self.term, self.log.last_id, transfer))
        self.count_votes()

    def become_leader(self) -> None:
        """Begin the term with an empty entry, whose commit commits all before it (§5.4.2, §8)."""
        self.begin_leading()
        self.role, self.leader, self.patience = "leader", self.node.id, 0
        self.progress = {peer: Progress(next=self.log.last_index + 1) for peer in self.others()}
        self.node.cancel_timer("election")
        self.node.emit(RoleChanged("leader", self.term))
        if self.settings.check_quorum:
            self.node.set_timer("quorum", self.settings.election_timeout_ns[1])
        self.add(Entry(self.term, None))
        if self.forced is not None:
            self.confirm_forced()
        self.on_heartbeat()

    def on_heartbeat(self) -> None:
        """Tell all followers that the leader is there; what was lost is found out by their answers."""
        self.node.set_timer("heartbeat", self.settings.heartbeat_every_ns)
        self.send_heartbeats()

    # when to stand

    def reset_election_timer(self) -> None:
        least, most = self.settings.election_timeout_ns
        self.node.set_timer("election", self.timeouts.randint(least, most))

    def on_election(self) -> None:
        """Nobody led in time."""
        if not self.may_stand():
            self.reset_election_timer()
        elif self.settings.pre_vote:
            self.begin_pre_vote()
        else:
            self.become_candidate()

    def may_stand(self) -> bool:
        """Voters stand that store all of the log; those that aren't preferred let one time-out pass first."""
        if not self.configuration.may_lead(self.node.id) or self.lacks_promises():
            return False
        if self.settings.preferred and not self.is_preferred() and not self.patience:
            self.patience = 1
            return False
        return True

    def is_preferred(self) -> bool:
        """Whether the settings name this server or its region."""
        words = self.settings.preferred or ()
        return f"n{self.node.id + 1}" in words or self.node.regions[self.node.id] in words

    def other_voters(self) -> list[NodeId]:
        return [peer for peer in self.others() if self.configuration.is_voter(peer)]

    # the vote (§5.2, §5.4.1)

    def on_request_vote(self, candidate: NodeId, request: RequestVote) -> None:
        """Grant one vote a term at most, and only to a log as good as ours (§5.2, §5.4.1).

        Whether the candidate belongs to *this* server's configuration plays no part: it may lag behind (thesis §4.2.2).
        """
        if request.term > self.term:
            if self.hears_leader() and not request.transfer:
                self.node.send(candidate, Vote(self.term, False))
                return
            self.become_follower(request.term)
        free = self.voted_for in (None, candidate)
        granted = request.term == self.term and free and self.is_up_to_date(request.last_log)
        granted = granted and not self.lacks_promises()
        if granted:
            self.voted_for = candidate
            self.node.save(term=self.term, voted_for=candidate)
            self.reset_election_timer()
        self.node.send(candidate, Vote(self.term, granted))

    def is_up_to_date(self, last_log: LogId) -> bool:
        """Whether a candidate's log is at least as good as this one (§5.4.1)."""
        return last_log >= self.log.last_id

    def lacks_promises(self) -> bool:
        """Whether bit rot took entries that this server may have acknowledged; what is left says nothing of them.

        Once an entry of a leader's own term is committed here, all that was committed before is here again. Source:
        Alagappan and others, "Protocol-aware recovery for consensus-based storage", FAST 2018.
        """
        if self.rotten and self.commit and self.log.term_at(self.commit) == self.term:
            self.rotten = False
            self.node.save(rotten=False)
        return self.rotten

    def hears_leader(self) -> bool:
        """Whether there is a leader, as far as this server knows (thesis §4.2.3); asked only if votes stick."""
        if not self.sticky:
            return False
        silent_ns = self.node.monotonic_ns() - self.heard_ns
        return self.role == "leader" or silent_ns < self.settings.election_timeout_ns[0]

    def on_vote(self, voter: NodeId, vote: Vote) -> None:
        """Count it, if it is for the election that is under way."""
        if vote.term > self.term:
            self.become_follower(vote.term)
        elif self.role == "candidate" and vote.term == self.term:
            counted = self.votes if vote.granted else self.refusals
            if voter not in counted:
                counted.append(voter)
                self.count_votes()

    def count_votes(self) -> None:
        """Lead once a majority, of both sets while they are joint, has granted its vote."""
        if self.configuration.election(self.votes, self.refusals) == "won":
            self.become_leader()

    # the pre-vote (thesis §9.6)

    def begin_pre_vote(self) -> None:
        """Ask who would vote for this server; its term stays as it is until a majority would."""
        if self.role == "candidate":
            self.become_follower(self.term)
        self.leader = None
        self.polled = [self.node.id]
        self.reset_election_timer()
        for peer in self.other_voters():
            self.node.send(peer, PreVote(self.term + 1, self.log.last_id))
        self.count_pre_votes()

    def on_pre_vote(self, candidate: NodeId, request: PreVote) -> None:
        """Say what the vote would be: no to a log that is worse, and no while a leader is heard."""
        granted = request.term > self.term and self.is_up_to_date(request.last_log)
        granted = granted and not (self.hears_leader() or self.lacks_promises())
        self.node.send(candidate, PreVoted(request.term if granted else self.term, granted))

    def on_pre_voted(self, voter: NodeId, vote: PreVoted) -> None:
        """Count it; a refusal from a later term is news of that term."""
        if not vote.granted:
            if vote.term > self.term:
                self.become_follower(vote.term)
        elif self.polled is not None and vote.term == self.term + 1 and voter not in self.polled:
            self.polled.append(voter)
            self.count_pre_votes()

    def count_pre_votes(self) -> None:
        """Stand once an election would be won."""
        if self.polled is not None and self.configuration.election(self.polled) == "won":
            self.become_candidate()

    # whom a server hears

    def follow(self, leader: NodeId, term: int) -> None:
        """A message of a leader in a term that is not over: there is no other one in it (§5.2)."""
        if term > self.term or self.role != "follower":
            self.become_follower(term)
        if self.leader != leader:
            self.leader = leader
            self.asked.clear()  # what the last one was asked it won't answer; clients ask again
        self.polled = None
        self.patience = 0
        if self.sticky or self.settings.staleness_ns is not None:
            self.heard_ns = self.node.monotonic_ns()
        self.reset_election_timer()

    def on_quorum(self) -> None:
        """CheckQuorum: a leader that a quorum didn't answer for an election time-out steps down (thesis §6.2)."""
        active = [self.node.id, *(peer for peer, follower in self.progress.items() if follower.active)]
        if self.configuration.election(active) != "won":
            self.become_follower(self.term)
            return
        for follower in self.progress.values():
            follower.active = False
        self.node.set_timer("quorum", self.settings.election_timeout_ns[1])
