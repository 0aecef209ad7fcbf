"""Swizzle-clog: the links of nodes are stopped one after another, and come back in another order.

Source: FoundationDB's simulation, which finds with it what no single cut does.
"""

from collections.abc import Iterator
from random import Random

from actors.settings import MS, DurationNs, Target
from chaos.course import Course
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control, LinkRule


class SwizzleClog(Fault, frozen=True):
    """Cut `nodes` off one by one, `time` apart, then let them back one by one in another drawn order; and again."""

    nodes: Target
    time_ns: DurationNs = 200 * MS

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        return [] if self.time_ns > 0 else [("time_ns", "one cut must come some time after another")]

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes, course = resolve(self.nodes), Course()
        detail = f"{control.topology.names(nodes)} clogged one by one"
        return Injected(nodes, detail, course.end, moves=self.moves(control, nodes, course, rng))

    def moves(self, control: Control, nodes: tuple[int, ...], course: Course, rng: Random) -> Iterator[int]:
        """One cut after another, then one heal after another."""
        everybody = range(len(control.topology.regions))
        while True:
            lifts = {}
            for node in rng.sample(nodes, len(nodes)):
                others = tuple(other for other in everybody if other != node)
                out = LinkRule(sources=(node,), targets=others, drop=True)
                back = LinkRule(sources=others, targets=(node,), drop=True)
                lifts[node] = course.begin(control.lay((out, back)))
                yield self.time_ns
            for node in rng.sample(nodes, len(nodes)):
                lifts[node]()
                yield self.time_ns
