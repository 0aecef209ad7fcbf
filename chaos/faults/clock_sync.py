"""Clock sync: nodes are synchronised with a server whose time is wrong; their clocks are steered there slowly."""

from collections.abc import Iterator
from random import Random
from typing import Literal

from actors.settings import SECOND, DurationNs, Target
from chaos.course import Course
from chaos.fault import Fault, Injected, Resolve
from cluster.ailment import Ailment
from cluster.control import Control

STEPS = 20


class ClockSync(Fault, frozen=True):
    """Steer the wall clock of `nodes` off by `by` within `over`, in small steps, and hold it there.

    An asymmetric path to the server does the same, by half of its asymmetry.
    """

    nodes: Target
    by_ns: DurationNs
    over_ns: DurationNs = SECOND
    direction: Literal["forward", "back"] = "forward"

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes, course = resolve(self.nodes), Course()
        detail = f"{control.topology.names(nodes)} to {self.by_ns / 1e6:g} ms {self.direction}"
        return Injected(nodes, detail, course.end, moves=self.moves(control, nodes, course))

    def moves(self, control: Control, nodes: tuple[int, ...], course: Course) -> Iterator[int]:
        """One small step after another; they add up."""
        sign = 1 if self.direction == "forward" else -1
        for _ in range(STEPS):
            course.begin(control.ail(nodes, Ailment(clock_offset_ns=sign * self.by_ns // STEPS)))
            yield self.over_ns // STEPS
