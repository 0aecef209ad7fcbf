"""Crash: nodes stop at once and lose what they held in memory; when it heals they restart from their disks."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class Crash(Fault, frozen=True):
    """Crash `nodes`; the part of their disks that was not synced is lost too, but for a drawn number of records."""

    takes_down: ClassVar = True

    nodes: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        return Injected(nodes, control.topology.names(nodes), control.crash(nodes))
