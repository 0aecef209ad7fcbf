"""Wipe: nodes crash, and their disks are replaced by empty ones before they restart."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class Wipe(Fault, frozen=True):
    """Crash `nodes`; when it heals they restart and have forgotten everything."""

    takes_down: ClassVar = True

    nodes: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        restart = control.crash(nodes)
        control.damage(nodes, "wiped")
        return Injected(nodes, f"{control.topology.names(nodes)} disk wiped", restart)
