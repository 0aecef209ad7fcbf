"""Wrong Rafts that trust what is not on disk. Each overrides what it breaks, and says which property goes."""

from actors.protocols.raft import Raft


class CountsOwnUnsaved(Raft):
    """Zoo 15. Counts the leader's own copy before it is on disk: a loss of power loses an acknowledged write."""

    def own_match(self) -> int:
        """See `Replication.own_match`; this one trusts a write that is still under way."""
        return self.log.last_index
