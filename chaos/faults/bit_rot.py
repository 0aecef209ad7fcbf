"""Bit rot: what lies on a disk becomes unreadable; a checksum shows it when a node starts."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class BitRot(Fault, frozen=True):
    """Crash `nodes` and spoil a drawn item of a log of theirs: when they restart, the log ends before it."""

    takes_down: ClassVar = True

    nodes: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        restart = control.crash(nodes)
        control.damage(nodes, "rotten")
        return Injected(nodes, f"{control.topology.names(nodes)} a log item rotten", restart)
