"""The Ray fabric: each node in a Ray actor's process, messages over ZeroMQ, real time."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.fabric import Director, FabricError, FabricResult, Progress, Setup
from cluster.live.cluster_start import last_line, ray_cluster
from cluster.live.conductor import ConductorActor, Finish
from cluster.live.memory import refuse_too_large
from cluster.live.parcel import pack

START_TIMEOUT_S = 90.0
CALL_TIMEOUT_S = 30.0
WATCH_EVERY_S = 0.2
TOO_LATE_NS = 50_000_000  # at the 99th percentile: a third of Raft's least election time-out

NOTHING = Finish(messages=0, start_s=0.0, memory_mb=0.0, lag_p99_ns=0, notes=())


def run(
    setup: Setup,
    director: Director,
    folder: Path,
    watch: Callable[[Progress], None],
    *,
    address: str | None = None,
    apart: bool = False,
    **_: Any,
) -> FabricResult:
    """Run a setup on Ray; see `cluster.fabric.Fabric`.

    Args:
        address: of a running Ray cluster; None starts one on this machine for this run.
        apart: treat every Ray node as a machine of its own, though several may share one, as tests do.
    """
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    if address is None:
        refuse_too_large(setup)
    with ray_cluster(address):
        began_s = time.monotonic()
        conductor = _start_conductor(setup, director, folder, apart=apart)
        interrupted = False
        failure: str | None = None
        try:
            failure = _watch_to_the_end(conductor, watch)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            finish, unfinished = _finish(conductor)
        if failure or unfinished:
            raise FabricError(failure or unfinished)
        return FabricResult(
            digest=None,
            messages=finish.messages,
            wall_s=time.monotonic() - began_s,
            virtual_s=None,
            interrupted=interrupted,
            notes=finish.notes + _too_small(finish),
            too_small=bool(_too_small(finish)),
            start_s=finish.start_s,
            memory_mb=finish.memory_mb,
        )


def _watch_to_the_end(conductor: Any, watch: Callable[[Progress], None]) -> str | None:
    """Let the run begin and follow it. Gives why it failed, if it did."""
    _call(conductor.begin.remote(), CALL_TIMEOUT_S)
    over, failure = False, None
    while not over:
        time.sleep(WATCH_EVERY_S)
        progress, over, failure = _call(conductor.progress.remote(), CALL_TIMEOUT_S)
        watch(progress)
    return failure


def _too_small(finish: Finish) -> tuple[str, ...]:
    if finish.lag_p99_ns <= TOO_LATE_NS:
        return ()
    late_ms = finish.lag_p99_ns / 1e6
    return (f"machine too small: one handler in a hundred ran more than {late_ms:.0f} ms after its time",)


def _start_conductor(setup: Setup, director: Director, folder: Path, *, apart: bool) -> Any:
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = ConductorActor.options(
        name=f"{setup.name}/conductor",
        num_cpus=0,
        max_restarts=0,
        max_concurrency=4,
        scheduling_strategy=here,  # the run's folder is on this machine
    )
    conductor = options.remote(pack((setup, director)), folder, apart=apart)
    try:
        ray.get(conductor.prepare.remote(), timeout=START_TIMEOUT_S)
    except ray.exceptions.GetTimeoutError as error:
        ray.kill(conductor)
        raise FabricError(
            f"Ray placed or started no host within {START_TIMEOUT_S:.0f} s: the machine or cluster has "
            "no room left. Look at `ray status`, end other runs, or use fewer nodes"
        ) from error
    except ray.exceptions.RayError as error:
        ray.kill(conductor)
        raise FabricError(f"the hosts could not be started: {last_line(error)}") from error
    except KeyboardInterrupt:
        ray.kill(conductor)
        raise
    return conductor


def _call(reference: Any, timeout_s: float) -> Any:
    try:
        return ray.get(reference, timeout=timeout_s)
    except ray.exceptions.RayError as error:
        raise FabricError(f"the conductor of the run does not answer: {last_line(error)}") from error


def _finish(conductor: Any) -> tuple[Finish, str | None]:
    """End the run's actors. Gives what the conductor says, and what went wrong, which must not hide earlier errors."""
    try:
        return ray.get(conductor.finish.remote(), timeout=CALL_TIMEOUT_S), None
    except ray.exceptions.RayError as error:
        return NOTHING, f"the run could not be ended in order: {last_line(error)}"
    except KeyboardInterrupt:
        return NOTHING, None
    finally:
        ray.kill(conductor)
