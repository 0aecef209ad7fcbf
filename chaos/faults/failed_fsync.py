"""Failed fsync: a disk says that it could not make a write durable; its node stops, for it can't know what is lost."""

from typing import ClassVar

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class FailedFsync(NodeFault, kw_only=True, frozen=True):
    """Let the next fsync of `nodes` fail, which stops them; when it heals they restart from what was durable.

    Source: Rebello and others, "Can applications recover from fsync failures?", 2020: to try again is wrong.
    """

    stops: ClassVar = True
    takes_down: ClassVar = True

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(fsync_fails=True)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return "fsync fails"
