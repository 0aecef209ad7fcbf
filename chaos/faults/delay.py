"""Delay: messages on some links take longer."""

from actors.settings import DurationNs
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Delay(LinkFault, kw_only=True, frozen=True):
    """Add `time` to the trip of every message from or to `nodes`."""

    time_ns: DurationNs

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, delay_ns=self.time_ns)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"+{self.time_ns / 1e6:g} ms"
