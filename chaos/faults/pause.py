"""Pause: nodes handle nothing, as in a long garbage collection; their mail waits and their timers fire late."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class Pause(Fault, frozen=True):
    """Pause `nodes`. What they had sent goes on; when it heals they handle what has waited, in order."""

    takes_down: ClassVar = True

    nodes: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        return Injected(nodes, control.topology.names(nodes), control.pause(nodes))
