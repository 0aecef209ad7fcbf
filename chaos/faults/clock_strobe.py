"""Clock strobe: the wall clock jumps forward and back again, many times a second."""

from collections.abc import Iterator
from random import Random

from actors.settings import MS, DurationNs, Target
from chaos.course import Course
from chaos.fault import Fault, Injected, Resolve
from cluster.ailment import Ailment
from cluster.control import Control


class ClockStrobe(Fault, frozen=True):
    """Set the wall clock of `nodes` forward by `by`, and right again, every `time`. Source: Jepsen's clock nemesis."""

    nodes: Target
    by_ns: DurationNs
    time_ns: DurationNs = 100 * MS

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.time_ns > 0 else [("time_ns", "one jump must come some time after another")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes, course = resolve(self.nodes), Course()
        detail = f"{control.topology.names(nodes)} {self.by_ns / 1e6:g} ms off and on"
        return Injected(nodes, detail, course.end, moves=self.moves(control, nodes, course))

    def moves(self, control: Control, nodes: tuple[int, ...], course: Course) -> Iterator[int]:
        """Wrong and right."""
        while True:
            right = course.begin(control.ail(nodes, Ailment(clock_offset_ns=self.by_ns)))
            yield self.time_ns
            right()
            yield self.time_ns
