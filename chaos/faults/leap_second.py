"""Leap second: the wall clock is set back by a second, or runs slower until it has lost one."""

from collections.abc import Iterator
from random import Random
from typing import Literal

from actors.settings import SECOND, DurationNs, Target
from chaos.course import Course
from chaos.fault import Fault, Injected, Resolve
from cluster.ailment import Ailment
from cluster.control import Control

MILLION = 1_000_000


class LeapSecond(Fault, frozen=True):
    """Insert a second into the clocks of `nodes`: by a `step` back, or by a `smear` over `over`.

    A smear slows both clocks; real ones take a day, at 11.6 ppm.
    """

    nodes: Target
    by: Literal["step", "smear"] = "step"
    over_ns: DurationNs = 10 * SECOND

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.over_ns > SECOND else [("over_ns", "a smear takes longer than the second that it inserts")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes, course = resolve(self.nodes), Course()
        detail = f"{control.topology.names(nodes)} by {self.by}"
        return Injected(nodes, detail, course.end, moves=self.moves(control, nodes, course))

    def moves(self, control: Control, nodes: tuple[int, ...], course: Course) -> Iterator[int]:
        """Lose a second, at once or little by little; it stays lost until the clocks are set right at the heal."""
        if self.by == "smear":
            slow = course.begin(control.ail(nodes, Ailment(clock_ppm=-(SECOND * MILLION // self.over_ns))))
            yield self.over_ns
            slow()
        course.begin(control.ail(nodes, Ailment(clock_offset_ns=-SECOND)))
        yield 0
