"""Flapping: some links go down and come up again, over and over."""

from actors.settings import DurationNs
from chaos.link_fault import LinkFault
from cluster.control import LinkRule


class Flapping(LinkFault, kw_only=True, frozen=True):
    """Take the links from and to `nodes` down for `time`, up for `time`, and so on while it lasts."""

    time_ns: DurationNs

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.time_ns > 0 else [("time_ns", "the links must stay down for some time")]

    def rule(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> LinkRule:
        """See `LinkFault.rule`."""
        return LinkRule(sources=sources, targets=targets, flap_ns=self.time_ns)

    def detail(self) -> str:
        """See `LinkFault.detail`."""
        return f"down and up every {self.time_ns / 1e6:g} ms"
