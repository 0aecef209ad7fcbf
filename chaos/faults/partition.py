"""Partition: messages between two sets of nodes are dropped; inside a set links stay up."""

from random import Random
from typing import Literal

from actors.settings import Halves, Target, TargetPair
from chaos.fault import Fault, Injected, NobodyToHit, Resolve
from chaos.targets import split_halves
from cluster.control import Control, LinkRule


class Partition(Fault, frozen=True):
    """Cut the network: `isolate` nodes from the rest, split it in `halves`, or cut `between` two sets.

    Servers are cut from servers; clients reach both sides unless `clients` is true: then each client node is cut off
    from all servers but those on the side of its region's servers.
    """

    isolate: Target | None = None
    halves: Halves | None = None
    between: TargetPair | None = None
    direction: Literal["both", "in", "out"] = "both"  # seen from the first side: out drops what it sends
    clients: bool = False

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        given = [name for name in ("isolate", "halves", "between") if getattr(self, name) is not None]
        if len(given) == 1:
            return []
        return [(given[1] if given else "", "a partition takes exactly one of isolate, halves, between")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        topology = control.topology
        if self.isolate is not None:
            first = resolve(self.isolate)
            second = tuple(node for node in topology.servers if node not in first)
        elif self.between is not None:
            first, second = resolve(self.between[0]), resolve(self.between[1])
            second = tuple(node for node in second if node not in first)
        else:
            first, second = split_halves(topology, self.halves or "random", rng)
        if not first or not second:
            raise NobodyToHit("one side of the partition is empty")
        if self.clients:
            first, second = (topology.with_clients(side, other) for side, other in ((first, second), (second, first)))
        rules = []
        if self.direction in ("both", "out"):
            rules.append(LinkRule(sources=first, targets=second, drop=True))
        if self.direction in ("both", "in"):
            rules.append(LinkRule(sources=second, targets=first, drop=True))
        heal = control.lay(tuple(rules))
        arrow = {"both": "|", "out": "-x->", "in": "<-x-"}[self.direction]
        return Injected(first, f"{topology.names(first)} {arrow} {topology.names(second)}", heal)
