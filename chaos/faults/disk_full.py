"""Full disk: logs can't grow; whatever must be durable first waits until there is room."""

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class DiskFull(NodeFault, kw_only=True, frozen=True):
    """Leave no room on the disks of `nodes`. What they saved waits; small facts in place still get through."""

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(no_appends=True)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return "no room"
