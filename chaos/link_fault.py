"""What the faults of links have in common: they touch what their nodes send, receive, or both."""

from random import Random
from typing import Literal

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control, LinkRule


class LinkFault(Fault, frozen=True):
    """A fault on the links between `nodes` and everybody else, servers and clients.

    `direction` is seen from the nodes: out touches what they send, in what they receive.
    """

    nodes: Target
    direction: Literal["both", "in", "out"] = "both"

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """What happens on a link from one of the sources to one of the targets."""
        raise NotImplementedError

    def detail(self) -> str:
        """The fault in words, without its nodes."""
        raise NotImplementedError

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        everybody = (*control.topology.servers, *control.topology.clients)
        others = tuple(node for node in everybody if node not in nodes)
        rules = []
        if self.direction != "in":
            rules.append(self.rule(nodes, everybody))
        if self.direction != "out":
            rules.append(self.rule(others if self.direction == "both" else everybody, nodes))
        return Injected(nodes, f"{control.topology.names(nodes)} {self.detail()}", control.lay(tuple(rules)))
