"""Torn write: power fails in the middle of a write."""

from typing import ClassVar

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class TornWrite(NodeFault, kw_only=True, frozen=True):
    """Cut the next write of `nodes` off after half of its record, and stop them; they restart from that."""

    stops: ClassVar = True
    takes_down: ClassVar = True

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(tears_write=True)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return "next write torn"
