"""Slow fsync: each sync of a disk takes longer; whoever must not speak before it is durable waits."""

from random import Random

from actors.settings import DurationNs, Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class SlowFsync(Fault, frozen=True):
    """Let every fsync of `nodes` take `time` longer."""

    nodes: Target
    time_ns: DurationNs

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        heal = control.slow_fsync(nodes, self.time_ns)
        return Injected(nodes, f"{control.topology.names(nodes)} +{self.time_ns / 1e6:g} ms", heal)
