"""Wrong Rafts whose elections fail. Each overrides what it breaks, and says which property goes."""

from typing import ClassVar

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import RequestVote, Vote
from actors.state.log import LogId


class VoteNotPersisted(Raft):
    """Zoo 1. Forgets its vote at a crash: two leaders of one term (election safety).

    Source: PySyncObj 0.3.14.
    """

    def on_request_vote(self, candidate: NodeId, request: RequestVote) -> None:
        """See `Elections.on_request_vote`; this one does not save."""
        if request.term > self.term:
            if self.hears_leader() and not request.transfer:
                self.node.send(candidate, Vote(self.term, False))
                return
            self.become_follower(request.term)
        free = self.voted_for in (None, candidate)
        granted = request.term == self.term and free and self.is_up_to_date(request.last_log)
        if granted:
            self.voted_for = candidate
            self.reset_election_timer()
        self.node.send(candidate, Vote(self.term, granted))

    handlers: ClassVar = {**Raft.handlers, RequestVote: on_request_vote}


class NoLogFreshness(Raft):
    """Zoo 2. Votes for candidates that lack committed entries (leader completeness)."""

    def is_up_to_date(self, last_log: LogId) -> bool:
        """See `Elections.is_up_to_date`; this one does not look."""
        return True


class CountsStaleVotes(Raft):
    """Zoo 4. Counts a vote of an earlier term: two leaders of one term (election safety)."""

    def on_vote(self, voter: NodeId, vote: Vote) -> None:
        """See `Elections.on_vote`; this one does not compare terms."""
        super().on_vote(voter, Vote(max(vote.term, self.term), vote.granted))

    handlers: ClassVar = {**Raft.handlers, Vote: on_vote}


class LeaderGrantsPreVotes(Raft):
    """Zoo 12. A leader forgets that it leads: a heartbeat no shorter than the time-out unseats it (availability)."""

    def hears_leader(self) -> bool:
        """See `Elections.hears_leader`; this one asks for what it heard, and a leader hears none."""
        silent_ns = self.node.monotonic_ns() - self.heard_ns
        return self.sticky and silent_ns < self.settings.election_timeout_ns[0]


class HalfIsMajority(Raft):
    """Zoo 17. n/2 in place of n/2 + 1: two leaders of one term (election safety)."""

    def count_votes(self) -> None:
        """See `Elections.count_votes`; this one rounds the wrong way."""
        if len(self.votes) >= max(1, len(self.configuration.voters) // 2):
            self.become_leader()


class NoCheckQuorum(Raft):
    """Zoo 19. Votes stick, but a leader that nobody answers goes on: a livelock under a one-way cut (availability)."""

    def on_quorum(self) -> None:
        """See `Elections.on_quorum`; this one does not ask."""

    timers: ClassVar = {**Raft.timers, "quorum": on_quorum}


class FixedTimeout(Raft):
    """Zoo 26. Election time-outs that aren't random: votes are split for ever (availability)."""

    def reset_election_timer(self) -> None:
        """See `Elections.reset_election_timer`; this one always waits as long."""
        self.node.set_timer("election", self.settings.election_timeout_ns[0])
