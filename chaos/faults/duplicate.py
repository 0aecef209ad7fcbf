"""Duplicate: messages on some links arrive twice; the copy is late, and later messages may overtake it."""

from actors.settings import Share
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Duplicate(LinkFault, kw_only=True, frozen=True):
    """Deliver a `share` of the messages from or to `nodes` a second time."""

    share: Share

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, duplicate=self.share)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"{self.share:.3g} twice"
