"""Wrong Rafts whose reads are stale. Each overrides what it breaks, and says which property goes."""

from actors.client import Command
from actors.message import NodeId
from actors.protocols.raft import Raft


class LocalRead(Raft):
    """Zoo 14. A leader answers reads without asking whether it still leads: stale reads (linearizability)."""

    def read(self, client: NodeId, command: Command) -> None:
        """See `Reads.read`; this one believes that it leads."""
        if self.role == "leader":
            self.read_here(client, command)
        else:
            super().read(client, command)


class LeaseWithoutMargin(Raft):
    """Zoo 18. A lease that allows for no clock drift: stale reads within the bound on drift (linearizability)."""

    def lease_ns(self) -> int:
        """See `Reads.lease_ns`; this one takes all clocks for equal."""
        return self.settings.election_timeout_ns[0]
