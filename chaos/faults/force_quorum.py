"""Force quorum: an operator lets servers go on without a majority that is gone for good. Unsafe, and says so."""

from typing import ClassVar

from actors.message import Message, NodeId
from actors.protocols.raft_messages import ForceQuorum as ForceQuorumMessage
from actors.settings import Target
from chaos.fault import Resolve
from chaos.operator_step import OperatorStep
from cluster.control import Control


class ForceQuorum(OperatorStep, kw_only=True, frozen=True):
    """UNSAFE: let `nodes` alone decide. What only the others held is lost, even if clients were told it was done."""

    asks: ClassVar = (ForceQuorumMessage,)

    nodes: Target

    def message(self, resolve: Resolve) -> Message:
        """See `OperatorStep.message`."""
        return ForceQuorumMessage(resolve(self.nodes))

    def detail(self, control: Control, resolve: Resolve) -> str:
        """See `OperatorStep.detail`."""
        kept = resolve(self.nodes)
        lost = [node for node in control.topology.servers if node not in kept]
        return f"{control.topology.names(kept)} go on; what only {control.topology.names(lost)} held is lost"

    def told(self, control: Control, resolve: Resolve) -> tuple[NodeId, ...]:
        """Those that are to obey."""
        return resolve(self.nodes)
