"""Bursty loss: messages on some links vanish many in a row, as on radio or in a full queue."""

from actors.settings import Share
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class BurstyLoss(LinkFault, kw_only=True, frozen=True):
    """Lose a `share` of the messages from or to `nodes`, in bursts of `length` messages on average.

    Source: Gilbert, "Capacity of a burst-noise channel", 1960: a state that passes all, and one that loses all.
    """

    share: Share
    length: float = 8.0

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.length >= 1 else [("length", "a burst has at least 1 message")]

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, burst_loss=self.share, burst_length=self.length)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"{self.share:.3g} lost in bursts of {self.length:g}"
