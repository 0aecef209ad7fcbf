"""Misdirected read: a disk brings another item than the one asked for, and no checksum shows it."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class MisdirectedRead(Fault, frozen=True):
    """Crash `nodes`; when they restart they read one drawn item of a log twice, in place of its neighbour."""

    takes_down: ClassVar = True

    nodes: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        restart = control.crash(nodes)
        control.damage(nodes, "misdirected")
        return Injected(nodes, f"{control.topology.names(nodes)} one read misdirected", restart)
