"""Wrong Rafts that mishandle compacted logs. Each overrides what it breaks, and says which property goes."""

import msgspec

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import AppendEntries
from actors.state.log import BEFORE_FIRST
from actors.state.progress import Progress
from actors.state.snapshot import Snapshot


class BlindAppendAfterSnapshot(Raft):
    """Zoo 9. Appends a message that begins before its snapshot as if it began behind it (log matching).

    Source: SandTable's collection.
    """

    def behind_base(self, request: AppendEntries) -> AppendEntries:
        """See `Replication.behind_base`; this one skips nothing."""
        return msgspec.structs.replace(request, previous=self.log.base)


class EmptyAppendForSnapshot(Raft):
    """Zoo 10. Sends an empty message where a snapshot is due, and takes its commit for its own log (commit safety)."""

    def send_snapshot(self, peer: NodeId, follower: Progress) -> None:
        """See `Snapshots.send_snapshot`; this one has nothing to send."""
        self.post(peer, AppendEntries(self.term, BEFORE_FIRST, (), self.commit, self.round))

    def new_end(self, request: AppendEntries) -> int:
        """See `Replication.new_end`; this one takes its whole log for the leader's."""
        return self.log.last_index


class SnapshotLowersTerm(Raft):
    """Zoo 11. Takes its term from a snapshot: it may vote again in one that it has voted in (election safety)."""

    def install(self, snapshot: Snapshot) -> None:
        """See `Snapshots.install`; this one goes back to the snapshot's term."""
        super().install(snapshot)
        self.term, self.voted_for = snapshot.last.term, None
        self.node.save(term=self.term, voted_for=None)
