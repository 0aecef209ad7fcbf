"""Wrong Rafts that trust what is not on disk. Each overrides what it breaks, and says which property goes."""

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import Appended


class AcknowledgesUnsaved(Raft):
    """Zoo 15. Acknowledges entries before they are on its disk: a loss of power loses a write (leader completeness)."""

    def acknowledge(self, leader: NodeId, reply: Appended) -> None:
        """See `Replication.acknowledge`; this one does not wait."""
        self.node.send_unsaved(leader, reply)


class CountsOwnUnsaved(Raft):
    """Zoo 15, on the leader's side. Counts its own copy while the disk still writes it (leader completeness)."""

    def own_match(self) -> int:
        """See `Replication.own_match`; this one trusts a write that is still under way."""
        return self.log.last_index


class VotesWithRottenLog(Raft):
    """Takes a log that a wrong checksum cut short for all that it ever had, and votes by it (leader completeness)."""

    def lacks_promises(self) -> bool:
        """See `Elections.lacks_promises`; this one has no regrets."""
        return False
