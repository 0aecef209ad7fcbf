"""What each fault is asked to do to a prober, and how that is measured in what was recorded.

A measure is a number in a span of time. A fault bites if the number while it lasts is what was asked for; it has healed
if the number afterwards is again what it was before.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from statistics import mean, median
from typing import Any, NamedTuple

from actors.history import Invoke, Retried, Return
from actors.message import NodeId
from benchmarks.prober import WITNESS, Heard, Loaded, Said, Saved
from cluster.drive import WALL_CLOCK_AT_START_NS
from cluster.journal import DiskFailed, NodeStarted

MS, SECOND = 1e6, 1e9


class Span(NamedTuple):
    """A stretch of a run, and the node that a fault hits in it."""

    entries: list[Any]  # of the whole run, in order of time
    node: NodeId
    begin_ns: int
    end_ns: int

    def of(self, kind: Any, node: NodeId | None = None) -> list[Any]:
        """The entries of a kind in this span: of the node that is hit, or another."""
        wanted = self.node if node is None else node
        return [
            entry
            for entry in self.entries
            if entry.node == wanted and isinstance(entry.item, kind) and self.begin_ns <= entry.time_ns < self.end_ns
        ]

    def anywhere(self, kind: Any) -> list[Any]:
        """The entries of a kind in this span, of all nodes."""
        return [e for e in self.entries if isinstance(e.item, kind) and self.begin_ns <= e.time_ns < self.end_ns]

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.begin_ns) / SECOND


Measure = Callable[[Span], float]


class Case(NamedTuple):
    """One fault, what it is asked to do, and how far the measure may be off."""

    fault: str
    settings: dict[str, Any]  # `nodes` is filled in
    what: str
    measure: Measure
    asked: float  # of the measure while the fault lasts ...
    off: float  # ... and by how much it may be off
    added: bool = False  # asked is by how much the measure grows
    at_least: bool = False  # asked is a lower bound
    once: bool = False  # the measure is of what is found when the fault ends, and has no "afterwards"
    counts: bool = False  # the measure counts what happens from the very injection on


# links


def heard(span: Span, source: NodeId, target: NodeId) -> list[Any]:
    return [entry for entry in span.of(Heard, target) if entry.item.sender == source]


def _lost(span: Span, source: NodeId, target: NodeId) -> float:
    """The share of what one node said in this span that the other never heard."""
    said = {entry.item.number for entry in span.of(Said, source)}
    ever = Span(span.entries, span.node, span.begin_ns, span.end_ns + 10**18)
    came = {entry.item.number for entry in heard(ever, source, target)}
    return len(said - came) / max(1, len(said))


def lost(span: Span) -> float:
    """On the way from the node to the witness."""
    return _lost(span, span.node, WITNESS)


def lost_to(span: Span) -> float:
    """On the way from the witness to the node."""
    return _lost(span, WITNESS, span.node)


def silent(span: Span) -> float:
    """The share of the span in which the witness heard nothing of the node for longer than half a second."""
    times = [span.begin_ns, *(entry.time_ns for entry in heard(span, span.node, WITNESS)), span.end_ns]
    return float(sum(b - a for a, b in pairwise(times) if b - a > SECOND / 2) / (span.end_ns - span.begin_ns))


def deaf_one_way(span: Span) -> float:
    """By how much more is lost on the way from the node than on the way to it."""
    return lost(span) - lost_to(span)


def doubled(span: Span) -> float:
    numbers = [entry.item.number for entry in heard(span, span.node, WITNESS)]
    return len(numbers) / max(1, len(set(numbers))) - 1


def trips_ms(span: Span) -> list[float]:
    """From the node to the witness; both clocks are right."""
    return [(entry.time_ns - entry.item.said_ns) / MS for entry in heard(span, span.node, WITNESS)]


def trip_ms(span: Span) -> float:
    return median(trips_ms(span) or [0.0])


def spread_ms(span: Span) -> float:
    """Between the slowest and the fastest tenth of the trips."""
    trips = sorted(trips_ms(span))
    return trips[len(trips) * 9 // 10] - trips[len(trips) // 10] if trips else 0.0


def overtaken(span: Span) -> float:
    """The share of messages that came after a later one."""
    numbers = [entry.item.number for entry in heard(span, span.node, WITNESS)]
    latest, late = 0, 0
    for number in numbers:
        late += number < latest
        latest = max(latest, number)
    return late / max(1, len(numbers))


def messages_s(span: Span) -> float:
    return len(heard(span, span.node, WITNESS)) / span.seconds


def longest_run_lost(span: Span) -> float:
    """The mean length of runs of lost messages."""
    numbers = sorted({entry.item.number for entry in heard(span, span.node, WITNESS)})
    gaps = [after - before - 1 for before, after in pairwise(numbers) if after - before > 1]
    return float(mean(gaps or [0.0]))


# nodes


def handled_s(span: Span) -> float:
    """Messages that the node handled a second."""
    return len(span.of(Heard)) / span.seconds


def starts(span: Span) -> float:
    return len([entry for entry in span.of(NodeStarted) if entry.item.incarnation > 0])


def starts_anywhere(span: Span) -> float:
    return len([entry for entry in span.anywhere(NodeStarted) if entry.item.incarnation > 0])


def skipped(span: Span) -> float:
    said = span.of(Said)
    return float(sum(entry.item.skipped for entry in said) / max(1, len(said)))


# clocks


def _readings(span: Span) -> list[tuple[int, int, int]]:
    """(true time, wall clock, monotonic clock), each since the start."""
    said = span.of(Said)
    return [(e.time_ns, e.item.wall_ns - WALL_CLOCK_AT_START_NS, e.item.monotonic_ns) for e in said]


def wall_off_ms(span: Span) -> float:
    """Where the wall clock stands against true time, in the second half of the span."""
    readings = _readings(span)
    return median([(wall - true) / MS for true, wall, _ in readings[len(readings) // 2 :]] or [0.0])


def wall_off_share(span: Span) -> float:
    """The share of readings at which the wall clock is more than 100 ms off."""
    readings = _readings(span)
    return sum(abs(wall - true) > 100 * MS for true, wall, _ in readings) / max(1, len(readings))


def wall_rate(span: Span) -> float:
    """Seconds of the wall clock a second."""
    readings = _readings(span)
    if len(readings) < 2:
        return 0.0
    (true, wall, _), (true_end, wall_end, _) = readings[0], readings[-1]
    return (wall_end - wall) / (true_end - true)


def monotonic_ppm(span: Span) -> float:
    readings = _readings(span)
    if len(readings) < 2:
        return 0.0
    (true, _, mono), (true_end, _, mono_end) = readings[0], readings[-1]
    return ((mono_end - mono) / (true_end - true) - 1) * 1e6


# disks


def save_ms(span: Span) -> float:
    return float(median([(entry.time_ns - entry.item.asked_ns) / MS for entry in span.of(Saved)] or [0.0]))


def saves_s(span: Span) -> float:
    return len(span.of(Saved)) / span.seconds


def disk_failures(span: Span) -> float:
    return len(span.of(DiskFailed))


def _restarted(span: Span) -> tuple[int, Loaded | None]:
    """The last number that the node told to be durable before its last start, and what it found then."""
    whole = Span(span.entries, span.node, 0, 1 << 62)
    loads = whole.of(Loaded)
    if len(loads) < 2:
        return 0, None
    told = [e.item.number for e in whole.of(Saved) if e.time_ns < loads[-1].time_ns]
    return max(told, default=0), loads[-1].item


def forgotten(span: Span) -> float:
    """The share of what was told to be durable that is gone after the restart."""
    told, found = _restarted(span)
    return 0.0 if found is None or not told else float(1 - min(found.number, told) / told)


def items_lost(span: Span) -> float:
    """How many of a log's items are gone after the restart though the fact beside them is there."""
    _, found = _restarted(span)
    return 0.0 if found is None else 2 * found.number - found.items


def misplaced(span: Span) -> float:
    _, found = _restarted(span)
    return 0.0 if found is None else found.misplaced


# load


def operations_s(span: Span) -> float:
    return len(span.anywhere(Invoke)) / span.seconds


def share_of_k1(span: Span) -> float:
    invoked = span.anywhere(Invoke)
    return float(sum(entry.item.key.endswith("k1") for entry in invoked) / max(1, len(invoked)))


def resent_an_operation(span: Span) -> float:
    return len(span.anywhere(Retried)) / max(1, len(span.anywhere(Invoke)))


def least_gap_ms(span: Span) -> float:
    """The shortest time between an answer and the next operation of the same process."""
    answered: dict[int, int] = {}
    gaps = []
    for entry in span.anywhere(Invoke | Return):
        process: int = entry.item.process
        if isinstance(entry.item, Return):
            answered[process] = entry.time_ns
        elif process in answered:
            gaps.append((entry.time_ns - answered.pop(process)) / MS)
    return min(gaps, default=0.0)


ALONE: tuple[Case, ...] = (
    Case("partition", {"isolate": []}, "share lost", lost, 1.0, 0.02),
    Case("loss", {"share": 0.3}, "share lost", lost, 0.3, 0.12),
    Case("bursty_loss", {"share": 0.3, "length": 8.0}, "share lost", lost, 0.3, 0.25),
    Case("corrupt", {"share": 0.3}, "share lost", lost, 0.3, 0.12),
    Case("duplicate", {"share": 0.4}, "share twice", doubled, 0.4, 0.13),
    Case("delay", {"time_ns": 80_000_000}, "ms a trip", trip_ms, 80.0, 15.0, added=True),
    Case("jitter", {"time_ns": 60_000_000}, "ms from a tenth to nine tenths", spread_ms, 35.0, 25.0, added=True),
    Case("reorder", {"share": 0.3, "time_ns": 200_000_000}, "share overtaken", overtaken, 0.27, 0.12),
    Case("bandwidth", {"rate": 5_000.0, "buffer": 2_000}, "messages/s", messages_s, 23.0, 4.0),
    Case("flapping", {"time_ns": 200_000_000}, "share lost", lost, 0.5, 0.12),
    Case("swizzle_clog", {"time_ns": 300_000_000}, "share lost", lost, 0.5, 0.15),
    Case("half_open", {}, "share lost out, less in", deaf_one_way, 1.0, 0.08),
    Case("region_cut", {"region": []}, "share lost", lost, 1.0, 0.02),
    Case("pause", {}, "share silent", silent, 1.0, 0.02),
    Case("slow_cpu", {"time_ns": 30_000_000}, "handled/s", handled_s, 33.0, 6.0),
    Case("bounded_inbox", {"messages": 3, "time_ns": 30_000_000}, "share lost", lost_to, 0.3, 0.0, at_least=True),
    Case("buggify", {"point": "prober.say", "share": 0.3}, "share failed", skipped, 0.3, 0.12),
    Case("clock_jump", {"by_ns": 500_000_000}, "ms off", wall_off_ms, 500.0, 20.0, added=True),
    Case("clock_drift", {"ppm": 50_000}, "ppm", monotonic_ppm, 50_000.0, 10_000.0),
    Case("clock_freeze", {}, "s/s", wall_rate, 0.0, 0.02),
    Case("clock_strobe", {"by_ns": 300_000_000, "time_ns": 100_000_000}, "share off", wall_off_share, 0.5, 0.2),
    Case("clock_sync", {"by_ns": 200_000_000, "over_ns": 800_000_000}, "ms off", wall_off_ms, 200.0, 20.0, added=True),
    Case("leap_second", {}, "ms off", wall_off_ms, -1000.0, 20.0, added=True),
    Case("slow_fsync", {"time_ns": 100_000_000}, "ms a save", save_ms, 150.0, 60.0, added=True),
    Case("disk_full", {}, "saves/s", saves_s, 0.0, 1.0),
    Case("read_only", {}, "saves/s", saves_s, 0.0, 1.0),
)
"""Faults that leave the node's process alone."""

PROCESS: tuple[Case, ...] = (
    Case("crash", {}, "share silent", silent, 1.0, 0.02),
    Case("region_outage", {"region": []}, "share silent", silent, 1.0, 0.02),
    Case("restart", {"down_ns": 300_000_000}, "starts", starts, 1.0, 0.0, counts=True),
    Case("rolling_restart", {"down_ns": 300_000_000, "pause_ns": 500_000_000}, "starts", starts, 1.0, 0.0, counts=True),
    Case("restart_loop", {"down_ns": 300_000_000, "up_ns": 700_000_000}, "starts", starts, 2.0, 0.0, at_least=True),
    Case("wipe", {}, "share forgotten", forgotten, 1.0, 0.0, once=True),
    Case("bit_rot", {}, "log items lost", items_lost, 1.0, 0.0, at_least=True, once=True),
    Case("misdirected_read", {}, "items misplaced", misplaced, 1.0, 0.0, once=True),
    Case("lost_writes", {}, "share forgotten", forgotten, 0.2, 0.0, at_least=True, once=True),
    Case("torn_write", {}, "log items torn off", items_lost, 1.0, 0.0, once=True),
    Case("failed_fsync", {}, "failures", disk_failures, 1.0, 0.0, counts=True),
)
"""Faults that end it."""

LOAD: tuple[Case, ...] = (
    Case("surge", {"factor": 3.0}, "operations/s", operations_s, 120.0, 30.0),
    Case("hot_key", {"share": 0.8}, "share on one key", share_of_k1, 0.825, 0.1),
    Case("slow_client", {"time_ns": 300_000_000}, "ms between, at least", least_gap_ms, 300.0, 0.0, at_least=True),
    Case("retry_storm", {"time_ns": 50_000_000}, "resent an operation", resent_an_operation, 1.5, 0.0, at_least=True),
    Case("reconnect", {}, "resent an operation", resent_an_operation, 0.01, 0.0, at_least=True, counts=True),
)
"""Faults of clients."""

CASES: tuple[Case, ...] = (*ALONE, *PROCESS, *LOAD)


def names(cases: Iterable[Case]) -> list[str]:
    return [case.fault for case in cases]
