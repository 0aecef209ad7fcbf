"""Rolling restart: one node after another is restarted, as when a new version is rolled out."""

from collections.abc import Iterator
from random import Random

from actors.settings import MS, SECOND, DurationNs, Target
from chaos.course import Course
from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control

LOOK_EVERY_NS = 20 * MS  # whether a node is up


class RollingRestart(Fault, frozen=True):
    """Crash `nodes` one by one: each is `down`, then there is `pause` until the next."""

    nodes: Target
    down_ns: DurationNs = 500 * MS
    pause_ns: DurationNs = 2 * SECOND

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        nodes, course = resolve(self.nodes), Course()
        detail = f"{control.topology.names(nodes)} one by one"
        return Injected(nodes, detail, course.end, moves=self.moves(control, nodes, course))

    def moves(self, control: Control, nodes: tuple[int, ...], course: Course) -> Iterator[int]:
        """Each in turn."""
        for node in nodes:
            start = course.begin(control.crash((node,)))
            yield self.down_ns
            start()
            while any(map(control.is_starting, (node,))):
                yield LOOK_EVERY_NS
            yield self.pause_ns
