"""Retry storm: clients send again what is not answered soon, and make the load that they wait for."""

from actors.load import Load
from actors.settings import DurationNs
from chaos.load_fault import LoadFault


class RetryStorm(LoadFault, kw_only=True, frozen=True):
    """Let clients send each open operation again every `time`, for as long as it is open."""

    time_ns: DurationNs

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.time_ns > 0 else [("time_ns", "a retry must come some time after the last")]

    def load(self) -> Load:
        """See `LoadFault.load`."""
        return Load(retry_after_ns=self.time_ns)

    def detail(self) -> str:
        """See `LoadFault.detail`."""
        return f"all sent again every {self.time_ns / 1e6:g} ms"
