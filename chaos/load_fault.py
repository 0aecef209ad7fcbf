"""What the faults that work on clients have in common: a different load for as long as they last."""

from random import Random

from actors.load import Load
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class LoadFault(Fault, kw_only=True, frozen=True):
    """Another load from all clients. Of two at once the later one counts; each ends with the workload as it is."""

    def load(self) -> Load:
        """What clients are told to do."""
        raise NotImplementedError

    def detail(self) -> str:
        """The fault in words."""
        raise NotImplementedError

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        clients = tuple(control.topology.clients)
        control.deliver(clients, self.load())
        return Injected(clients, self.detail(), lambda: control.deliver(clients, Load()))
