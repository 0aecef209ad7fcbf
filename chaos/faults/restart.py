"""Restart: nodes crash and start again at once, as under a supervisor."""

from collections.abc import Iterator
from random import Random

from actors.settings import MS, DurationNs, Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control, Heal


class Restart(Fault, frozen=True):
    """Crash `nodes`, and restart them after `down`. Nothing is left to heal then."""

    nodes: Target
    down_ns: DurationNs = 100 * MS

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        start = control.crash(nodes)
        return Injected(nodes, control.topology.names(nodes), start, moves=self.moves(start))

    def moves(self, start: Heal) -> Iterator[int]:
        """Down, then up for good."""
        yield self.down_ns
        start()
