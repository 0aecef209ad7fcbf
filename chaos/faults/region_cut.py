"""Region cut: a region, its servers and its clients, is cut off from all others."""

from random import Random

from actors.settings import Target
from chaos.fault import Fault, Injected, NobodyToHit, Resolve
from cluster.control import Control, LinkRule


class RegionCut(Fault, frozen=True):
    """Drop all messages between the nodes of `region`, clients too, and those of other regions."""

    region: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        topology = control.topology
        regions = {topology.regions[node] for node in resolve(self.region)}
        everybody = range(len(topology.regions))
        inside = tuple(node for node in everybody if topology.regions[node] in regions)
        outside = tuple(node for node in everybody if topology.regions[node] not in regions)
        if not outside:
            raise NobodyToHit("there is no other region")
        there = LinkRule(sources=inside, targets=outside, drop=True)
        back = LinkRule(sources=outside, targets=inside, drop=True)
        return Injected(inside, f"{' and '.join(sorted(regions))} alone", control.lay((there, back)))
