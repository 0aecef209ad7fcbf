"""The bug zoo: wrong variants of protocols, each one small change away from the right code.

A system's setting `mutant` names one; hunts and checkers must catch it. To add one: its class in the file of its
protocol, and its line in MUTANTS.
"""

from actors.node import Actor
from chaos.zoo import dynamo, raft

MUTANTS: dict[str, dict[str, type[Actor]]] = {
    "dynamo": {
        "overlap-without-one": dynamo.OverlapWithoutOne,
        "vector-by-server": dynamo.VectorByServer,
        "context-dropped": dynamo.ContextDropped,
        "reply-covers-unseen": dynamo.ReplyCoversUnseen,
        "collected-too-early": dynamo.CollectedTooEarly,
        "hint-counts": dynamo.HintCounts,
        "repairs-with-older": dynamo.RepairsWithOlder,
        "wall-clock-decides": dynamo.WallClockDecides,
        "counters-reused": dynamo.CountersReused,
        "tree-misses-deletes": dynamo.TreeMissesDeletes,
    },
    "raft": {
        "commit-without-majority": raft.CommitWithoutMajority,
        "vote-not-persisted": raft.VoteNotPersisted,
        "no-log-freshness": raft.NoLogFreshness,
    },
}
