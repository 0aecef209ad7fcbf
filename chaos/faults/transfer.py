"""Transfer: an operator asks the leader to hand over."""

from typing import ClassVar

from actors.message import Message
from actors.protocols.raft_messages import TransferLeadership
from actors.settings import Target
from chaos.fault import NobodyToHit, Resolve
from chaos.operator_step import OperatorStep
from cluster.control import Control


class Transfer(OperatorStep, kw_only=True, frozen=True):
    """Let the leader hand over to one server, `to`."""

    asks: ClassVar = (TransferLeadership,)

    to: Target

    def message(self, resolve: Resolve) -> Message:
        """See `OperatorStep.message`. Raises NobodyToHit if the target means more than one server."""
        servers = resolve(self.to)
        if len(servers) != 1:
            raise NobodyToHit(f"{', '.join(self.to)}: the lead is handed over to one server, not to {len(servers)}")
        return TransferLeadership(servers[0])

    def detail(self, control: Control, resolve: Resolve) -> str:
        """See `OperatorStep.detail`."""
        return f"to {control.topology.names(resolve(self.to))}"
