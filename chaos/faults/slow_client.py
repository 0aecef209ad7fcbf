"""Slow client: clients take their time between an answer and the next operation."""

from actors.load import Load
from actors.settings import DurationNs
from chaos.load_fault import LoadFault


class SlowClient(LoadFault, kw_only=True, frozen=True):
    """Let each client process wait for `time` after each operation."""

    time_ns: DurationNs

    def load(self) -> Load:
        """See `LoadFault.load`."""
        return Load(pause_ns=self.time_ns)

    def detail(self) -> str:
        """See `LoadFault.detail`."""
        return f"{self.time_ns / 1e6:g} ms between operations"
