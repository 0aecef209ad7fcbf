"""Raft: one server, put together from its parts, over a key-value state machine.

Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (extended version), 2014, whose
section numbers the parts cite; "thesis" is Ongaro, "Consensus: bridging theory and practice", 2014. With its default
settings this is the paper's figure 2, with a leader that pipelines and clients whose reads go through the log.

What must be on disk before others hear of it (term, vote, log, snapshot) is saved in the handler that changes it; the
node's barrier keeps every later message back until it is durable. So a follower's answer implies its own durable log,
and since the leader's entries are saved before they are sent, also the leader's (`parallel_write` loosens the last).
"""

from typing import ClassVar

from actors.client import Request
from actors.election import RoleChanged
from actors.protocols.raft_base import names
from actors.protocols.raft_clients import Clients
from actors.protocols.raft_elections import Elections
from actors.protocols.raft_membership import Membership
from actors.protocols.raft_messages import (
    Appended,
    AppendEntries,
    ChangeRefused,
    Committed,
    Compacted,
    ForceQuorum,
    Forwarded,
    InstallSnapshot,
    LeaveJoint,
    LogChanged,
    LogRotten,
    LogStored,
    MembersChanged,
    PreVote,
    PreVoted,
    QuorumForced,
    ReadAt,
    ReadIndex,
    Reconfigure,
    Rejected,
    RequestVote,
    SnapshotTaken,
    TimeoutNow,
    TransferLeadership,
    Vote,
)
from actors.protocols.raft_reads import Reads
from actors.protocols.raft_replication import Replication
from actors.protocols.raft_snapshots import Snapshots
from actors.protocols.raft_transfer import Transfer

__all__ = ["Raft", "names"]


class Raft(Elections, Replication, Snapshots, Reads, Membership, Transfer, Clients):
    """One Raft server."""

    def check(self) -> None:
        """What holds of one server at any time."""
        assert self.applied == self.commit, "committed entries are applied at once"
        assert self.log.start <= self.commit <= self.log.last_index, "what is committed is here or in the snapshot"
        assert self.log.start == 0 or self.snapshot is not None, "what was dropped is in a snapshot"
        assert self.role != "leader" or self.leader == self.node.id
        assert self.role == "leader" or not (self.waiting or self.progress), "only a leader has clients and followers"
        assert self.role == "follower" or self.voted_for == self.node.id, "who runs has voted for itself"
        assert self.role != "candidate" or self.configuration.may_lead(self.node.id)
        assert self.configuration == self.configurations[-1][1]
        assert self.role != "leader" or set(self.progress) == set(self.others())
        for follower in self.progress.values():
            assert follower.match < follower.next, "a follower is not sent what it is known to hold"
            assert follower.match <= self.log.last_index

    handlers: ClassVar = {
        AppendEntries: Replication.on_append_entries,
        Appended: Replication.on_appended,
        Rejected: Replication.on_rejected,
        RequestVote: Elections.on_request_vote,
        Vote: Elections.on_vote,
        PreVote: Elections.on_pre_vote,
        PreVoted: Elections.on_pre_voted,
        InstallSnapshot: Snapshots.on_install_snapshot,
        SnapshotTaken: Snapshots.on_snapshot_taken,
        LogStored: Replication.on_log_stored,
        TimeoutNow: Transfer.on_timeout_now,
        ReadIndex: Reads.on_read_index,
        ReadAt: Reads.on_read_at,
        Forwarded: Clients.on_forwarded,
        Request: Clients.on_request,
        Reconfigure: Membership.on_reconfigure,
        LeaveJoint: Membership.on_leave_joint,
        TransferLeadership: Transfer.on_transfer_leadership,
        ForceQuorum: Membership.on_force_quorum,
    }
    timers: ClassVar = {
        "election": Elections.on_election,
        "heartbeat": Elections.on_heartbeat,
        "replicate": Replication.on_replicate,
        "quorum": Elections.on_quorum,
        "confirm": Reads.on_confirm,
        "transfer": Transfer.on_transfer,
    }
    events: ClassVar = (
        RoleChanged,
        LogChanged,
        Committed,
        Compacted,
        MembersChanged,
        LogRotten,
        QuorumForced,
        ChangeRefused,
    )
