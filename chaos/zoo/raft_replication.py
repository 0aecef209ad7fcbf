"""Wrong Rafts that replicate or commit wrongly. Each overrides what it breaks, and says which property goes."""

from typing import ClassVar

from actors.client import Command
from actors.message import NodeId
from actors.node import Node
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import Appended, AppendEntries, Rejected
from actors.protocols.raft_settings import RaftSettings
from actors.state.key_value import Answer, KeyValue


class CommitWithoutMajority(Raft):
    """Commits what the leader alone holds: an acknowledged write is lost with its leader (linearizability)."""

    def advance_commit(self) -> None:
        """See `Replication.advance_commit`; this one asks nobody."""
        self.commit_up_to(self.log.last_index)

    def on_replicate(self) -> None:
        """See `Replication.on_replicate`; this one commits at once."""
        super().on_replicate()
        if self.role == "leader":
            self.advance_commit()

    timers: ClassVar = {**Raft.timers, "replicate": on_replicate}


class CommitsOldTerm(Raft):
    """Zoo 3. Commits an entry of an earlier term by counting its copies (state-machine safety, figure 8)."""

    def is_of_own_term(self, index: int) -> bool:
        """See `Replication.is_of_own_term`; this one counts any."""
        return True


class CommitGoesBack(Raft):
    """Zoo 5. A late message takes the commit index back (commit safety). Source: SandTable's collection."""

    def commit_up_to(self, index: int) -> None:
        """See `Replication.commit_up_to`; this one believes the last message."""
        if index < self.commit:
            self.commit = self.applied = max(index, self.log.start)
        super().commit_up_to(index)


class MatchGoesBack(Raft):
    """Zoo 6. A late answer takes a follower's match back (waste; with a commit that follows it, commit safety)."""

    def on_appended(self, peer: NodeId, reply: Appended) -> None:
        """See `Replication.on_appended`; this one believes the last answer."""
        if self.role == "leader" and reply.term == self.term and peer in self.progress:
            follower = self.progress[peer]
            follower.match = min(follower.match, reply.match)
        super().on_appended(peer, reply)

    handlers: ClassVar = {**Raft.handlers, Appended: on_appended}


class TruncatesOnLength(Raft):
    """Zoo 7. Cuts its log where a message ends, conflict or not: a late message loses entries (completeness)."""

    def take_entries(self, request: AppendEntries) -> None:
        """See `Replication.take_entries`; this one makes its log as long as the leader's was."""
        super().take_entries(request)
        end = request.previous.index + len(request.entries)
        if request.entries and end < self.log.last_index:
            self.cut(end)


class CommitStopsAtOldTerm(Raft):
    """Zoo 8. Walks up from its commit index and stops at an entry of an earlier term: no commit ever (liveness)."""

    def advance_commit(self) -> None:
        """See `Replication.advance_commit`; this one looks at each entry on the way."""
        if self.log.term_at(min(self.commit + 1, self.log.last_index)) == self.term:
            super().advance_commit()


class NextNotAboveMatch(Raft):
    """Zoo 13. Goes back behind what a follower is known to hold: entries sent again (waste under loss)."""

    def on_rejected(self, peer: NodeId, reply: Rejected) -> None:
        """See `Replication.on_rejected`; this one forgets what it knew."""
        follower = self.progress.get(peer)
        if follower is not None and reply.term == self.term:
            follower.probe(max(1, min(reply.hint, reply.previous - 1) + 1, self.log.start + 1))
            self.send_entries(peer, follower)
            return
        super().on_rejected(peer, reply)

    handlers: ClassVar = {**Raft.handlers, Rejected: on_rejected}


class Forgetful(KeyValue):
    """A state machine without sessions."""

    def apply(self, command: Command, at: int = 0) -> Answer:
        """See `KeyValue.apply`; this one carries out whatever comes."""
        self.sessions.pop(command.process, None)
        return super().apply(command, at)


class NoSessions(Raft):
    """Zoo 20. Applies a command as often as it comes: a client's retry takes effect twice (exactly once)."""

    volatile: ClassVar = {**Raft.volatile, "machine": Forgetful}

    def __init__(self, node: Node, settings: RaftSettings) -> None:
        super().__init__(node, settings)
        self.machine: KeyValue = Forgetful()
