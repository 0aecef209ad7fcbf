"""Dynamo-style stores under drawn faults, then a calm in which they must converge; and what judges the runs."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from scenario import CheckedLoop, Run, simulate, small_setup

from actors.client import ClientSettings
from actors.context_client import ContextClient
from actors.node import Actor
from actors.protocols.dynamo import Dynamo
from actors.protocols.dynamo_settings import DynamoSettings
from actors.settings import MS, SECOND
from actors.workload import Workload
from chaos.controller import Controller, Step
from chaos.fault import Fault
from chaos.faults.crash import Crash
from chaos.faults.delay import Delay
from chaos.faults.duplicate import Duplicate
from chaos.faults.loss import Loss
from chaos.faults.partition import Partition
from chaos.faults.pause import Pause
from cluster.fabric import ActorSpec
from cluster.sim.fabric import SimLoop
from cluster.streams import stream
from experiments.checkers import CHECKERS
from experiments.checkers.membership import membership
from experiments.checkers.replicas import replicas_agree
from experiments.checkers.verdict import Verdict
from experiments.workloads.siblings import Siblings

STORM_NS = 8 * SECOND
CALM_NS = 14 * SECOND
SETTLE_NS = 4 * SECOND
PROMISES = ("writes-kept", "deletes-final", "no-false-siblings", "replicas-agree", "membership")
STRICT_PROMISES = (*PROMISES, "writes-visible")

KINDS: dict[str, Callable[[Random], Fault]] = {
    "crash": lambda rng: Crash(nodes=(rng.choice(("random", "random minority")),)),
    "isolate": lambda rng: Partition(isolate=("random",), direction=rng.choice(("both", "in", "out"))),
    "halves": lambda rng: Partition(halves="random", direction=rng.choice(("both", "in", "out"))),
    "pause": lambda _: Pause(nodes=("random",)),
    "delay": lambda rng: Delay(nodes=("random",), time_ns=rng.randrange(1, 400) * MS),
    "loss": lambda rng: Loss(nodes=("all",), share=rng.uniform(0.01, 0.3)),
    "duplicate": lambda rng: Duplicate(nodes=("all",), share=rng.uniform(0.01, 0.3)),
}


class Weather(NamedTuple):
    """What a run's faults are drawn from."""

    kinds: tuple[str, ...] = tuple(KINDS)
    faults: int = 6
    longest_ns: int = 4 * SECOND


def fast(**changes: Any) -> DynamoSettings:
    """Settings whose background work is quick enough for short runs."""
    fields: dict[str, Any] = {
        "probe_every_ns": 300 * MS,
        "probe_timeout_ns": 100 * MS,
        "suspicion_periods": 2,
        "timeout_ns": 500 * MS,
        "anti_entropy_every_ns": 300 * MS,
        "handoff_every_ns": 200 * MS,
        "partitions": 16,
    }
    return DynamoSettings(**{**fields, **changes})


def storm(seed: int, weather: Weather) -> tuple[Step, ...]:
    """Faults at drawn times within the storm, overlapping as they come; all are over at its end."""
    rng = stream(seed, "dynamo storm")
    steps = []
    for _ in range(weather.faults):
        kind = rng.choice(weather.kinds)
        at_ns = rng.randrange(STORM_NS)
        for_ns = min(rng.randrange(MS, weather.longest_ns), STORM_NS - at_ns)
        steps.append(Step(kind, KINDS[kind](rng), at_ns, None, max(for_ns, MS)))
    return tuple(steps)


def pool(workload: Workload, *, stop_after_ns: int) -> ActorSpec:
    """All client processes of a workload in one node."""
    return ActorSpec(
        ContextClient,
        ClientSettings(
            name="siblings",
            workload=workload,
            processes=tuple(range(workload.clients)),
            first_fresh=workload.clients,
            pool=0,
            pools=1,
            stop_after_ns=stop_after_ns,
        ),
    )


def run_dynamo(
    settings: DynamoSettings,
    steps: tuple[Step, ...] = (),
    *,
    seed: int = 1,
    kind: type[Actor] = Dynamo,
    servers: int = 5,
    workload: Workload | None = None,
    keys: int = 6,
    settle_ns: int = SETTLE_NS,
    duration_ns: int = STORM_NS + CALM_NS,
) -> Run:
    """A store and its clients on the simulator; the right code asserts its invariants all along."""
    mix = {"get": 0.5, "put": 0.4, "delete": 0.1}
    asked = workload or Siblings(clients=8, rate=60.0, keys=keys, timeout_ns=SECOND, mix=mix, settle_ns=settle_ns)
    setup = small_setup(
        [ActorSpec(kind, settings)] * servers,
        [pool(asked, stop_after_ns=duration_ns)],
        seed=seed,
        duration_ns=duration_ns,
        drain_ns=SECOND,
    )
    chaos = Controller(steps, seed=seed, duration_ns=duration_ns)
    return simulate(setup, chaos, loop_kind=CheckedLoop if kind is Dynamo else SimLoop)


def verdict_of(run: Run, promise: str) -> Verdict:
    """A checker's verdict, with bounds as short as the settings of `fast` allow."""
    recording = run.recording
    bounds: dict[str, Any] = {"end_ns": recording.end_ns, "topology": recording.topology}
    if promise == "membership":
        return membership(recording.events, recording.faults, within_ns=10 * SECOND, **bounds)
    if promise == "replicas-agree":
        return replicas_agree(recording.events, recording.history, recording.faults, within_ns=4 * SECOND, **bounds)
    return CHECKERS[promise](recording)


def complaints(run: Run, promises: tuple[str, ...] = PROMISES) -> list[str]:
    """All that the judges hold against a run; empty for a right one."""
    verdicts = {promise: verdict_of(run, promise) for promise in promises}
    return [f"{promise}: {verdict.reason}" for promise, verdict in verdicts.items() if verdict.valid is False]
