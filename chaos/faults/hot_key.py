"""Hot key: much of the load goes to one key."""

from actors.load import Load
from actors.settings import Share
from chaos.load_fault import LoadFault


class HotKey(LoadFault, kw_only=True, frozen=True):
    """Let a `share` of the operations go to the first key of the workload."""

    share: Share

    def load(self) -> Load:
        """See `LoadFault.load`."""
        return Load(hot_key="k1", hot_share=self.share)

    def detail(self) -> str:
        """See `LoadFault.detail`."""
        return f"{self.share:.3g} of all operations on k1"
