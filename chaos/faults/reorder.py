"""Reorder: some messages are late, and later ones overtake them."""

from actors.settings import DurationNs, Share
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Reorder(LinkFault, kw_only=True, frozen=True):
    """Let a `share` of the messages from or to `nodes` be late by a drawn part of `time`, out of order."""

    share: Share
    time_ns: DurationNs

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, reorder=self.share, reorder_ns=self.time_ns)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"{self.share:.3g} late by up to {self.time_ns / 1e6:g} ms, overtaken"
