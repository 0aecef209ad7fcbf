"""Wrong Rafts that change their members wrongly. Each overrides what it breaks, and says which property goes."""

from typing import ClassVar

import msgspec

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import RequestVote, Vote
from actors.state.configuration import Configuration, Target, leave_joint


class ChangeBeforeOwnCommit(Raft):
    """Zoo 16. Changes members before an entry of its term is committed: two leaders (configurations overlap).

    Source: Ongaro, "bug in single-server membership changes", raft-dev, 2015.
    """

    def may_change(self) -> bool:
        """See `Membership.may_change`; this is the rule as first published."""
        return self.configurations[-1][0] <= self.commit or self.configurations[-1][0] == 0


class VoterChecksMembership(Raft):
    """Zoo 21. Refuses its vote to who isn't in *its* configuration, which may lag behind: nobody can win (liveness)."""

    def on_request_vote(self, candidate: NodeId, request: RequestVote) -> None:
        """See `Elections.on_request_vote`; this one looks who asks."""
        if not self.configuration.is_voter(candidate):
            self.node.send(candidate, Vote(self.term, False))
            return
        super().on_request_vote(candidate, request)

    handlers: ClassVar = {**Raft.handlers, RequestVote: on_request_vote}


class RestartsOnCommittedConfiguration(Raft):
    """Zoo 22. After a restart uses the last committed configuration, not the last one in its log (election safety)."""

    def adopt_logged_configurations(self) -> None:
        """See `RaftBase.adopt_logged_configurations`; this one waits for their commit."""

    def configuration_committed(self, index: int) -> None:
        """See `Membership.configuration_committed`; only here it learns of one that it had."""
        command = self.log[index].command
        if isinstance(command, Configuration) and index > self.configurations[-1][0]:
            self.reach(command, index)
        super().configuration_committed(index)


class LearnersCount(Raft):
    """Zoo 23. Counts learners in the quorum: what they alone hold is acknowledged (leader completeness)."""

    def advance_commit(self) -> None:
        """See `Replication.advance_commit`; this one counts every member."""
        real = self.configuration
        self.configuration = msgspec.structs.replace(real, voters=real.members)
        super().advance_commit()
        if self.configuration.serial == real.serial:
            self.configuration = real


class LeavesUncommittedJoint(Raft):
    """Zoo 24. A leader that finds a joint configuration in its log leaves it before it is committed (overlap)."""

    def become_leader(self) -> None:
        """See `Elections.become_leader`; this one goes on where the last leader stopped, too soon."""
        super().become_leader()
        if self.configuration.is_joint:
            self.append_configuration(leave_joint(self.configuration))


class VoterAtOnce(Raft):
    """Zoo 25. Lets an empty server vote at once: the leader may lose its quorum with it (availability)."""

    def learners_first(self, target: Target) -> Configuration | None:
        """See `Membership.learners_first`; this one is in a hurry."""
        return None

    def have_caught_up(self, target: Target) -> bool:
        """See `Membership.have_caught_up`; this one does not look."""
        return True
