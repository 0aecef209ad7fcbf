"""Wrong Rafts. Each overrides what it breaks, and says which property goes."""

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import RequestVote, Vote
from actors.state.log import LogId


class CommitWithoutMajority(Raft):
    """Commits what the leader alone holds: an acknowledged write is lost with its leader (linearizability)."""

    def advance_commit(self) -> None:
        """See `Raft.advance_commit`; this one asks nobody."""
        self.commit_up_to(self.log.last_index)


class VoteNotPersisted(Raft):
    """Forgets its vote at a crash: two leaders of one term (election safety)."""

    def on_request_vote(self, candidate: NodeId, request: RequestVote) -> None:
        """See `Raft.on_request_vote`; this one does not save."""
        if request.term > self.term:
            self.become_follower(request.term)
        free = self.voted_for in (None, candidate)
        granted = request.term == self.term and free and self.is_up_to_date(request.last_log)
        if granted:
            self.voted_for = candidate
            self.reset_election_timer()
        self.node.send(candidate, Vote(self.term, granted))

    handlers = {**Raft.handlers, RequestVote: on_request_vote}


class NoLogFreshness(Raft):
    """Votes for candidates that lack committed entries (leader completeness)."""

    def is_up_to_date(self, last_log: LogId) -> bool:
        """See `Raft.is_up_to_date`; this one does not look."""
        return True
