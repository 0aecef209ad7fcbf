"""Buggify: a named point in the code fails now and then, where its author thought that this should be borne."""

from actors.settings import Share
from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class Buggify(NodeFault, kw_only=True, frozen=True):
    """Let the `point` fail with a chance of `share` each time that `nodes` pass it.

    Source: FoundationDB. A protocol names its points by `node.fails("name")`.
    """

    point: str
    share: Share

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(points=((self.point, self.share),))

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return f"{self.point} fails {self.share:.3g} of the time"
