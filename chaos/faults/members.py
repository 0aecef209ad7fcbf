"""Members: an operator names the servers that shall belong to the cluster; its leader finds the steps."""

from typing import ClassVar

from actors.message import Message
from actors.protocols.raft_messages import Reconfigure
from actors.settings import Target
from chaos.fault import Resolve
from chaos.operator_step import OperatorStep
from cluster.control import Control


class Members(OperatorStep, kw_only=True, frozen=True):
    """Let `voters` vote from now on, and `learners` get the log without a vote; all others leave."""

    asks: ClassVar = (Reconfigure,)

    voters: Target
    learners: Target | None = None
    joint: bool = False  # by joint consensus even where one voter changes

    def message(self, resolve: Resolve) -> Message:
        """See `OperatorStep.message`."""
        learners = resolve(self.learners) if self.learners else ()
        return Reconfigure(resolve(self.voters), learners, joint=self.joint)

    def detail(self, control: Control, resolve: Resolve) -> str:
        """See `OperatorStep.detail`."""
        learners = f", learners {control.topology.names(resolve(self.learners))}" if self.learners else ""
        return f"voters {control.topology.names(resolve(self.voters))}{learners}"
