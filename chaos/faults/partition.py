"""Partition: messages between two sets of nodes are dropped; inside a set links stay up."""

from random import Random
from typing import Literal

from actors.settings import Halves, Target, TargetPair
from chaos.fault import Fault, Injected, NobodyToHit, Resolve
from chaos.targets import split_halves
from cluster.control import Control, LinkRule

SHAPES = ("isolate", "halves", "between", "ring", "bridge")


class Partition(Fault, frozen=True):
    """Cut the network: `isolate` nodes from the rest, split it in `halves`, or cut `between` two sets.

    `ring: majorities` lets each server talk to a majority, no two to the same one; `bridge` leaves those nodes the only
    ones that both halves reach.

    Servers are cut from servers; clients reach both sides unless `clients` is true: then each client node is cut off
    from all servers but those on the side of its region's servers.
    """

    isolate: Target | None = None
    halves: Halves | None = None
    between: TargetPair | None = None
    ring: Literal["majorities"] | None = None
    bridge: Target | None = None
    direction: Literal["both", "in", "out"] = "both"  # seen from the first side: out drops what it sends
    clients: bool = False

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        given = [name for name in SHAPES if getattr(self, name) is not None]
        if len(given) == 1:
            return []
        return [(given[1] if given else "", f"a partition takes exactly one of {', '.join(SHAPES)}")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        topology = control.topology
        if self.ring is not None:
            return _ring(control)
        if self.isolate is not None:
            first = resolve(self.isolate)
            second = tuple(node for node in topology.servers if node not in first)
        elif self.bridge is not None:
            held = resolve(self.bridge)
            halves = split_halves(topology, "random", rng)
            first, second = (tuple(node for node in half if node not in held) for half in halves)
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


def _ring(control: Control) -> Injected:
    """Each server hears as many neighbours on a ring as make a majority with it. Source: Jepsen's majorities ring."""
    servers = tuple(control.topology.servers)
    count, reach = len(servers), len(servers) // 2 + 1
    near = reach // 2  # neighbours on each side
    rules = [
        LinkRule(
            sources=(one,), targets=tuple(other for other in servers if _apart(one, other, count) > near), drop=True
        )
        for one in servers
    ]
    if not any(rule.targets for rule in rules):
        raise NobodyToHit("a ring needs more servers than one majority joins")
    return Injected(servers, "each talks to a majority of its own", control.lay(tuple(rules)))


def _apart(one: int, other: int, count: int) -> int:
    """How far two servers are apart on the ring."""
    return min((one - other) % count, (other - one) % count)
