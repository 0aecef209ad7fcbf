"""Crash: nodes stop at once and lose what they held in memory; when it heals they restart from their disks."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class Crash(Fault, frozen=True):
    """Crash `nodes`, or all nodes of the hosts that those of `host_of` live in (`cluster.density` of them share one).

    The part of their disks that was not synced is lost too, but for a drawn number of records.
    """

    takes_down: ClassVar = True

    nodes: Target | None = None
    host_of: Target | None = None

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        if (self.nodes is None) != (self.host_of is None):
            return []
        return [("host_of" if self.nodes is not None else "", "a crash takes exactly one of nodes, host_of")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        if self.host_of is not None:
            nodes = control.host_mates(resolve(self.host_of))
        else:
            assert self.nodes is not None, "checked by `problems`"
            nodes = resolve(self.nodes)
        return Injected(nodes, control.topology.names(nodes), control.crash(nodes))
