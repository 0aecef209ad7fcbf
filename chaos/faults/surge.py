"""Surge: operations come many times as often."""

from actors.load import Load
from chaos.load_fault import LoadFault


class Surge(LoadFault, kw_only=True, frozen=True):
    """Let arrivals of open-loop workloads come `factor` times as often."""

    factor: float

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if 0 < self.factor <= 1000 else [("factor", "a rate may grow up to 1000 times, and stays above 0")]

    def load(self) -> Load:
        """See `LoadFault.load`."""
        return Load(rate_factor=self.factor)

    def detail(self) -> str:
        """See `LoadFault.detail`."""
        return f"{self.factor:g} times the rate"
