"""Region outage: a whole region loses power; its servers come back together."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class RegionOutage(Fault, frozen=True):
    """Crash all servers of `region`, and restart them when it heals."""

    takes_down: ClassVar = True

    region: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.region)
        return Injected(nodes, f"{control.topology.names(nodes)} without power", control.crash(nodes))
