"""Half-open: nodes take what is sent to them and never answer; who tries to connect believes them well."""

from random import Random

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control, LinkRule


class HalfOpen(Fault, frozen=True):
    """Let `nodes` hear everything, and lose all that they send, to servers and clients."""

    nodes: Target

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        everybody = tuple(range(len(control.topology.regions)))
        heal = control.lay((LinkRule(sources=nodes, targets=everybody, drop=True),))
        return Injected(nodes, f"{control.topology.names(nodes)} hear and are not heard", heal)
