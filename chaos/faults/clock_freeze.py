"""Clock freeze: the wall clock of nodes stands still, and is right again when it heals."""

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class ClockFreeze(NodeFault, kw_only=True, frozen=True):
    """Stop the wall clock of `nodes`. The monotonic clock and timers go on."""

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(clock_stands=True)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return "wall clock stands still"
