"""What the steps of an operator have in common: a message to the servers, which heals by itself.

A server that doesn't lead passes it on, so it goes to all that are asked to obey; what it changes stays as it is when
the step is over.
"""

from random import Random

from actors.message import Message, NodeId
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class OperatorStep(Fault, kw_only=True, frozen=True):
    """A message from an operator. A subclass says which."""

    def message(self, resolve: Resolve) -> Message:
        """What the servers are told."""
        raise NotImplementedError

    def detail(self, control: Control, resolve: Resolve) -> str:
        """The step in words."""
        raise NotImplementedError

    def told(self, control: Control, resolve: Resolve) -> tuple[NodeId, ...]:
        """Which servers get it."""
        return tuple(control.topology.servers)

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        told = self.told(control, resolve)
        control.deliver(told, self.message(resolve))
        return Injected(told, self.detail(control, resolve), lambda: None)
