"""Loss: messages on some links vanish, each with the same chance."""

from actors.settings import Share
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Loss(LinkFault, kw_only=True, frozen=True):
    """Lose a `share` of the messages from or to `nodes`."""

    share: Share

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, loss=self.share)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"{self.share:.3g} lost"
