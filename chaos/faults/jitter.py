"""Jitter: messages on some links take longer by times that vary."""

from actors.settings import DurationNs
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Jitter(LinkFault, kw_only=True, frozen=True):
    """Add a drawn part of `time` to the trip of every message from or to `nodes`; their order stays."""

    time_ns: DurationNs

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, jitter_ns=self.time_ns)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"+0..{self.time_ns / 1e6:g} ms"
