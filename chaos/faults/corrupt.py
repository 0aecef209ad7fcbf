"""Corrupt: some messages arrive spoiled; their checksum shows it, and the receiver drops them."""

from actors.settings import Share
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Corrupt(LinkFault, kw_only=True, frozen=True):
    """Spoil a `share` of the messages from or to `nodes`. No node takes a spoiled message for a right one."""

    share: Share

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, corrupt=self.share)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"{self.share:.3g} spoiled"
