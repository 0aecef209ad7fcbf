"""One run from its plan to its summary: make the folder, let the fabric run the plan, seal the record, judge it."""

import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from cluster.fabric import FabricError, FabricResult, Progress
from experiments import runner
from experiments.crash_points import with_crash_points
from experiments.judge import Judged, judge_run
from experiments.plan import Plan
from experiments.recording import Recording
from experiments.store import Origin, StoreError, Summary, create, seal
from experiments.store.folder import OpenRun

NOTHING = FabricResult(digest=None, messages=0, wall_s=0.0, virtual_s=None, interrupted=True)
UNJUDGED = Judged(verdicts={}, metrics={}, expect=(), ok=False)


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is over, however it ended."""

    path: Path
    plan: Plan
    summary: Summary
    recording: Recording | None  # None: nothing readable was recorded


def new_group() -> str:
    """A name for the runs that are started together."""
    return f"g{secrets.token_hex(4)}"


def execute(
    plan: Plan,
    store: Path,
    *,
    group: str,
    watch: Callable[[Progress], None],
    source: bytes | None = None,
    address: str | None = None,
) -> Finished:
    """Run one plan and keep what happened in a folder of the store.

    A fabric that fails and an interrupt end the run early: its folder is closed properly all the same, and the summary
    says so.

    Args:
        group: what the runs of one command have in common.
        source: the experiment file as it was given, if there is one.
        address: of a running Ray cluster.

    Raises: StoreError if the store can't be written to.
    """
    with create(store, plan, group=group, source=source) as folder:
        result, failed = NOTHING, None
        try:
            result = runner.run_plan(plan, folder.path, watch=watch, address=address)
        except FabricError as error:
            failed = str(error)
        except KeyboardInterrupt:
            pass  # it came while the fabric wasn't there to take it; NOTHING says that this run was interrupted
        return _close(folder, plan, result, failed=failed)


def _close(folder: OpenRun, plan: Plan, result: FabricResult, *, failed: str | None) -> Finished:
    """Seal and judge what was recorded, and write the summary. A second interrupt leaves the judging out."""
    recording, judged, interrupted = None, UNJUDGED, result.interrupted and failed is None
    try:
        recording = seal(folder.path, plan)
        judged = UNJUDGED if failed else judge_run(plan, recording, too_small=result.too_small)
        if plan.crash_points and plan.fabric == "sim" and not failed and not interrupted:
            judged = with_crash_points(plan, judged)
    except KeyboardInterrupt:
        interrupted = True
    except StoreError:
        if failed is None:
            raise
    summary = summarise(folder, plan, result, judged=judged)
    summary = msgspec.structs.replace(
        summary, ok=judged.ok and not interrupted and failed is None, interrupted=interrupted, failed=failed
    )
    folder.finish(summary)
    return Finished(path=folder.path, plan=plan, summary=summary, recording=recording)


def summarise(folder: OpenRun, plan: Plan, result: FabricResult, *, judged: Judged) -> Summary:
    """What the fabric and the judges say of a run, in one object."""
    origin: Origin = folder.origin
    return Summary(
        run=origin.run,
        dir=str(folder.path),
        experiment=plan.experiment,
        variant=plan.variant,
        fabric=plan.fabric,
        seed=plan.seed,
        params=plan.params,
        digest=result.digest,
        verdicts=judged.verdicts,
        expect=judged.expect,
        metrics=judged.metrics,
        messages=result.messages,
        wall_s=result.wall_s,
        virtual_s=result.virtual_s,
        ok=judged.ok,
        notes=result.notes,
        too_small=result.too_small,
        start_s=result.start_s,
        memory_mb=result.memory_mb,
    )
