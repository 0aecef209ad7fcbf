"""Bandwidth: some links carry so many bytes a second; what comes faster waits in line."""

from actors.settings import BytesPerSecond, Size
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Bandwidth(LinkFault, kw_only=True, frozen=True):
    """Let each link from or to `nodes` carry no more than `rate`. Messages wait in a `buffer`; a full one loses them.

    What waits when the fault heals arrives when it would have arrived.
    """

    rate: BytesPerSecond
    buffer: Size = 64 * 1024

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, bytes_s=self.rate, buffer_bytes=self.buffer)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"{self.rate / 1e3:g} kB/s a link"
