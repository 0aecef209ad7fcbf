"""Clock drift: the clocks of nodes, and so their timers, run too fast or too slow."""

from chaos.node_fault import NodeFault
from cluster.ailment import Ailment


class ClockDrift(NodeFault, kw_only=True, frozen=True):
    """Let the clocks of `nodes` gain `ppm` microseconds a second; below 0 they lose. Quartz is within 100."""

    ppm: int

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        if -1_000_000 < self.ppm <= 10_000_000:
            return []
        return [("ppm", "a clock runs forward, at eleven times its rate at most: from -999999 to 10000000")]

    def ailment(self) -> Ailment:
        """See `NodeFault.ailment`."""
        return Ailment(clock_ppm=self.ppm)

    def detail(self) -> str:
        """See `NodeFault.detail`."""
        return f"{self.ppm:+,} ppm"
