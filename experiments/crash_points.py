"""Every crash point of a plan: crash at each disk write in turn, in every way, and judge what comes of it."""

from collections.abc import Callable

import msgspec

from cluster.journal import Journal
from cluster.sim.crash_points import CrashPoint, Write, WritesLoop
from cluster.sim.fabric import run_loop
from experiments import runner
from experiments.checkers.verdict import Verdict
from experiments.judge import Judged, judge_run
from experiments.plan import Plan
from experiments.recording import Recording, record

NAME = "crash-points"
LISTED = 20  # failures that a verdict names


class CrashPointFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A crash from which the system did not recover as it should."""

    point: CrashPoint
    node: str
    time_ms: float
    reason: str  # the invariant that broke, or the checkers and expectations that failed


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of all crash points of a plan."""

    writes: int
    points: int
    failed: tuple[CrashPointFailed, ...]


def explore(plan: Plan, watch: Callable[[str], None] = lambda _: None) -> Explored:
    """Run a plan on the simulator once for each crash point, besides the faults of its schedule, and judge each run.

    An actor's invariants are asserted after each step, too.
    """
    writes = writes_of(plan)
    points = [(write, point) for number, write in enumerate(writes, 1) for point in write.points(number)]
    failed = []
    for done, (write, point) in enumerate(points):
        if not done % 100:
            watch(f"crash point {done} of {len(points)}")
        reason = _reason(plan, point)
        if reason is not None:
            name = runner.topology_of(plan).name(write.node)
            failed.append(CrashPointFailed(point=point, node=name, time_ms=write.time_ns / 1e6, reason=reason))
    return Explored(writes=len(writes), points=len(points), failed=tuple(failed))


def with_crash_points(plan: Plan, judged: Judged) -> Judged:
    """A run's judgement with a verdict on the crash points of its plan beside those of its checkers."""
    verdict = verdict_of(explore(plan))
    verdicts = {**judged.verdicts, NAME: verdict}
    return msgspec.structs.replace(judged, verdicts=verdicts, ok=judged.ok and verdict.valid is True)


def verdict_of(explored: Explored) -> Verdict:
    """What crash points say of a system; unknown if it never wrote to a disk."""
    reason = "" if explored.points else "no server wrote to its disk, so there was no point to crash at"
    if explored.failed:
        first = explored.failed[0]
        reason = (
            f"a crash of {first.node} at write {first.point.write} ({first.time_ms:.3f} ms) that keeps"
            f" {first.point.kept} unsynced records: {first.reason}"
        )
    return Verdict(
        valid=False if explored.failed else True if explored.points else "unknown",
        checked=explored.points,
        method="a run for each disk write and each number of unsynced records that survive",
        reason=reason,
        evidence={"writes": explored.writes, "failed": msgspec.to_builtins(explored.failed[:LISTED])},
    )


def writes_of(plan: Plan) -> list[Write]:
    """The disk writes of the plan's servers, without a crash point."""
    loop, _ = _run(plan, None)
    return loop.writes


def _reason(plan: Plan, point: CrashPoint) -> str | None:
    """Why a run with this crash is not as it should be; None if it is."""
    try:
        _, recording = _run(plan, point)
    except AssertionError as broken:
        return f"an invariant broke: {broken or 'see the actor'}"
    judged = judge_run(plan, recording)
    wrong = [f"{name}: {verdict.reason}" for name, verdict in judged.verdicts.items() if verdict.valid is False]
    wrong += [f"{line.text} does not hold" for line in judged.expect if line.holds is False]
    return "; ".join(wrong) or None


class _CheckedLoop(WritesLoop):
    """Asserts an actor's invariants after each of its steps."""

    def handle(self, kind: int, node_id: int, sender: int, what: object) -> bool:
        """See `Loop.handle`."""
        handled = super().handle(kind, node_id, sender, what)
        if node_id in self.nodes:
            self.nodes[node_id].actor.check()
        return handled


def _run(plan: Plan, point: CrashPoint | None) -> tuple[WritesLoop, Recording]:
    director, journal = runner.controller_of(plan), Journal(None, host="sim", origin_ns=0)
    loop = _CheckedLoop(runner.setup_of(plan, name="crash-points"), journal, director, point=point)
    run_loop(loop, director, lambda _: None)
    journal.flush()
    return loop, record(runner.topology_of(plan), plan.duration_ns, plan.warm_up_ns, journal.entries)
