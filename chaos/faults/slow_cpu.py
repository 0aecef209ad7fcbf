"""Slow CPU: nodes need longer for everything; their mail waits in line."""

from actors.settings import DurationNs
from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class SlowCpu(NodeFault, kw_only=True, frozen=True):
    """Let each message keep `nodes` busy for `time` before it is handled; timers wait behind it."""

    time_ns: DurationNs

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(cpu_extra_ns=self.time_ns)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return f"{self.time_ns / 1e6:g} ms a message"
