"""The wrong Rafts by name, in the files of what they break. Each is one small change away from the right code."""

from actors.node import Actor
from chaos.zoo import raft_disk, raft_elections, raft_membership, raft_reads, raft_replication, raft_snapshots

RAFT: dict[str, type[Actor]] = {
    "commit-without-majority": raft_replication.CommitWithoutMajority,
    "vote-not-persisted": raft_elections.VoteNotPersisted,
    "no-log-freshness": raft_elections.NoLogFreshness,
    "commits-old-term": raft_replication.CommitsOldTerm,
    "counts-stale-votes": raft_elections.CountsStaleVotes,
    "commit-goes-back": raft_replication.CommitGoesBack,
    "match-goes-back": raft_replication.MatchGoesBack,
    "truncates-on-length": raft_replication.TruncatesOnLength,
    "commit-stops-at-old-term": raft_replication.CommitStopsAtOldTerm,
    "blind-append-after-snapshot": raft_snapshots.BlindAppendAfterSnapshot,
    "empty-append-for-snapshot": raft_snapshots.EmptyAppendForSnapshot,
    "snapshot-lowers-term": raft_snapshots.SnapshotLowersTerm,
    "leader-grants-pre-votes": raft_elections.LeaderGrantsPreVotes,
    "next-not-above-match": raft_replication.NextNotAboveMatch,
    "local-read": raft_reads.LocalRead,
    "acknowledges-unsaved": raft_disk.AcknowledgesUnsaved,
    "counts-own-unsaved": raft_disk.CountsOwnUnsaved,
    "change-before-own-commit": raft_membership.ChangeBeforeOwnCommit,
    "half-is-majority": raft_elections.HalfIsMajority,
    "lease-without-margin": raft_reads.LeaseWithoutMargin,
    "no-check-quorum": raft_elections.NoCheckQuorum,
    "no-sessions": raft_replication.NoSessions,
    "voter-checks-membership": raft_membership.VoterChecksMembership,
    "restarts-on-committed-configuration": raft_membership.RestartsOnCommittedConfiguration,
    "learners-count": raft_membership.LearnersCount,
    "leaves-uncommitted-joint": raft_membership.LeavesUncommittedJoint,
    "voter-at-once": raft_membership.VoterAtOnce,
    "fixed-timeout": raft_elections.FixedTimeout,
    "votes-with-rotten-log": raft_disk.VotesWithRottenLog,
}
