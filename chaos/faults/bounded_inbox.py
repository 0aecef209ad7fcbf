"""Bounded inbox: nodes that are slow keep few messages waiting, and drop the rest."""

from actors.settings import DurationNs
from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class BoundedInbox(NodeFault, kw_only=True, frozen=True):
    """Let no more than `messages` wait for each of `nodes`, which needs `time` for each; drop what comes on top."""

    messages: int
    time_ns: DurationNs

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.messages >= 1 else [("messages", "at least 1 message must have room")]

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(inbox=self.messages, cpu_extra_ns=self.time_ns)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return f"{self.messages} may wait, {self.time_ns / 1e6:g} ms each"
