"""Read-only disk: nothing gets onto it; whatever must be durable first waits."""

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class ReadOnly(NodeFault, kw_only=True, frozen=True):
    """Let nothing be written by `nodes`, as when a file system is remounted after an error."""

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(no_writes=True)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return "read-only"
