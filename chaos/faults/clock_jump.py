"""Clock jump: the wall clock is suddenly wrong, and right again when it heals."""

from typing import Literal

from actors.settings import DurationNs
from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class ClockJump(NodeFault, kw_only=True, frozen=True):
    """Set the wall clock of `nodes` off by `by`, forward or back. The monotonic clock and timers go on."""

    by_ns: DurationNs
    direction: Literal["forward", "back"] = "forward"

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(clock_offset_ns=self.by_ns if self.direction == "forward" else -self.by_ns)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return f"{self.by_ns / 1e6:g} ms {self.direction}"
