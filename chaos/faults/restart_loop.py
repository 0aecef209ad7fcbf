"""Restart loop: nodes crash soon after each start, again and again, as with a poisoned input."""

from collections.abc import Iterator
from random import Random

from actors.settings import MS, DurationNs, Target
from chaos.course import Course
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control

LOOK_EVERY_NS = 20 * MS  # whether a node is up


class RestartLoop(Fault, frozen=True):
    """Crash `nodes`, restart them after `down`, let them run for `up`, and so on while it lasts."""

    nodes: Target
    up_ns: DurationNs = 500 * MS
    down_ns: DurationNs = 200 * MS

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.up_ns + self.down_ns > 0 else [("up_ns", "a loop must take some time")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes, course = resolve(self.nodes), Course()
        detail = f"{control.topology.names(nodes)} {self.down_ns / 1e6:g} ms down, {self.up_ns / 1e6:g} ms up"
        return Injected(nodes, detail, course.end, moves=self.moves(control, nodes, course))

    def moves(self, control: Control, nodes: tuple[int, ...], course: Course) -> Iterator[int]:
        """Down and up."""
        while True:
            start = course.begin(control.crash(nodes))
            yield self.down_ns
            start()
            while any(map(control.is_starting, nodes)):
                yield LOOK_EVERY_NS
            yield self.up_ns
