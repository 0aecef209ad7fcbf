"""Thundering reconnect: all clients turn up again at the same moment."""

from actors.load import Load
from chaos.load_fault import LoadFault


class Reconnect(LoadFault, kw_only=True, frozen=True):
    """Let every client forget whom it talked to, and send all that is open to any server, all at once."""

    def load(self) -> Load:
        """See `LoadFault.load`."""
        return Load(reconnect=True)

    def detail(self) -> str:
        """See `LoadFault.detail`."""
        return "all at once"
