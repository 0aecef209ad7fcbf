"""Fault schedules drawn at random, for walks that look for a broken invariant; and what judges the runs."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from scenario import RAFT, CheckedLoop, Run, acknowledged, lost_appends, raft_setup, simulate, terms_with_two_leaders

from actors.history import Operation
from actors.node import Actor
from actors.protocols.raft import Raft
from actors.settings import MS, SECOND, Settings
from chaos.controller import Controller, Step
from chaos.fault import Fault
from chaos.faults.crash import Crash
from chaos.faults.delay import Delay
from chaos.faults.duplicate import Duplicate
from chaos.faults.loss import Loss
from chaos.faults.partition import Partition
from chaos.faults.pause import Pause
from chaos.faults.slow_fsync import SlowFsync
from cluster.sim.fabric import SimLoop
from cluster.streams import stream
from experiments.checkers.linearizable import linearizable
from experiments.checkers.raft_safety import raft_safety

DURATION_NS = 6 * SECOND
NODES = (("leader",), ("random",), ("follower",), ("random minority",), ("all",))


class Climate(NamedTuple):
    """What a storm consists of. Drawn anew for each seed: some have one kind of fault in plenty, others none."""

    kinds: tuple[str, ...]
    faults: int
    longest_ns: int  # of one fault
    rtt_ns: int


def climate(seed: int) -> Climate:
    rng = stream(seed, "climate")
    kinds = tuple(kind for kind in KINDS if rng.random() < 0.5) or ("crash",)
    faults, longest_ns = rng.choice([(8, 1500 * MS), (20, 400 * MS), (80, 60 * MS)])
    return Climate(kinds, faults, longest_ns, rng.choice([2, 20, 80]) * MS)


KINDS: dict[str, Callable[[Random, tuple[str, ...]], Fault]] = {
    "crash": lambda _, nodes: Crash(nodes=nodes),
    "isolate": lambda rng, _: Partition(isolate=rng.choice(NODES[:4]), direction=a_direction(rng)),
    "halves": lambda rng, _: Partition(halves="random", direction=a_direction(rng)),
    "pause": lambda _, nodes: Pause(nodes=nodes),
    "slow_fsync": lambda rng, nodes: SlowFsync(nodes=nodes, time_ns=rng.randrange(5, 200) * MS),
    "delay": lambda rng, nodes: Delay(nodes=nodes, time_ns=rng.randrange(1, 400) * MS),
    "loss": lambda rng, nodes: Loss(nodes=nodes, share=rng.uniform(0.05, 0.6)),
}


def a_direction(rng: Random) -> Any:
    return rng.choice(["both", "in", "out"])


def storm(seed: int, made_of: Climate, servers: int) -> tuple[Step, ...]:
    """Duplicates and slow disks all along, and faults at drawn times, overlapping as they come."""
    rng = stream(seed, "storm")
    steps = [
        Step("duplicate", Duplicate(nodes=("all",), share=0.2), 0, None, None),
        Step("slow_fsync", SlowFsync(nodes=("all",), time_ns=rng.randrange(0, 40) * MS), 0, None, None),
    ]
    for _ in range(made_of.faults):
        kind = rng.choice(made_of.kinds)
        fault = KINDS[kind](rng, rng.choice(NODES))
        at_ns, for_ns = rng.randrange(DURATION_NS), rng.randrange(MS, made_of.longest_ns)
        steps.append(Step(kind, fault, at_ns, None, for_ns, max_affected=servers))
    return tuple(steps)


def weather(seed: int, kind: type[Actor] = Raft, made_of: Climate | None = None, *, settings: Settings = RAFT) -> Run:
    """A Raft through the storm of this seed, its invariants asserted all along; or a mutant, which only judges see."""
    made_of = made_of or climate(seed)
    servers = 3 + 2 * (seed % 2)
    setup = raft_setup(kind, settings, servers=servers, seed=seed, duration_ns=DURATION_NS, rtt_ns=made_of.rtt_ns)
    chaos = Controller(storm(seed, made_of, servers), seed=seed, duration_ns=setup.duration_ns)
    return simulate(setup, chaos, loop_kind=CheckedLoop if kind is Raft else SimLoop)


def complaints(run: Run) -> list[str]:
    """All that any judge holds against a run; empty for a right one."""
    recording = run.recording
    found = [f"term {term} has leaders {sorted(nodes)}" for term, nodes in terms_with_two_leaders(recording).items()]
    found += lost_appends(recording.history)
    for verdict in (raft_safety(recording.events, recording.topology), linearizable(recording.history)):
        if verdict.valid is False:
            found.append(f"{verdict.method}: {verdict.reason}")
    return found


def missing_at_the_end(run: Run, servers: Iterable[int]) -> list[str]:
    """Acknowledged appends that a server's state lacks once all is healed and quiet."""
    items = acknowledged(run.recording.history)
    return [
        f"n{server + 1} lacks {item} at {key}"
        for server in servers
        for key, values in items.items()
        for item in values
        if item not in (run.actor(server).machine.values.get(key) or ())
    ]


def answered(history: Iterable[Operation]) -> int:
    return sum(operation.outcome == "ok" for operation in history)
