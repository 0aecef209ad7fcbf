"""Lost writes: fsync says that all is durable, and nothing is; then power fails."""

from typing import ClassVar

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class LostWrites(NodeFault, kw_only=True, frozen=True):
    """Let every fsync of `nodes` lie; when it heals they lose all that they wrote since, and restart.

    Source: LazyFS (Ramos and others, "When Amnesia Strikes", 2024).
    """

    stops: ClassVar = True

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(fsync_lies=True)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return "fsync lies"
