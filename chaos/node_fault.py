"""What the faults that work on single nodes have in common: an ailment for as long as they last."""

from random import Random
from typing import ClassVar

from actors.settings import Target
from chaos.fault import Fault, Injected, Resolve
from cluster.ailment import Ailment
from cluster.control import Control, Heal


class NodeFault(Fault, kw_only=True, frozen=True):
    """An ailment of `nodes`. One that may stop them is healed by a restart besides."""

    stops: ClassVar[bool] = False

    nodes: Target

    def ailment(self) -> Ailment:
        """What ails each of the nodes."""
        raise NotImplementedError

    def detail(self) -> str:
        """The fault in words, without its nodes."""
        raise NotImplementedError

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes = resolve(self.nodes)
        lift = control.ail(nodes, self.ailment())
        detail = f"{control.topology.names(nodes)} {self.detail()}"
        return Injected(nodes, detail, _then_revive(lift, control, nodes) if self.stops else lift)


def _then_revive(lift: Heal, control: Control, nodes: tuple[int, ...]) -> Heal:
    """Stop what still runs before the ailment is lifted: nothing is written in between."""

    def heal() -> None:
        start = control.crash(nodes)
        lift()
        start()

    return heal
