"""Random experiments, by number: the same number is the same plan in any process and on any machine.

As a program it runs a range of them on the simulator and prints one line a plan, its number and its digest:

    python random_plans.py FIRST COUNT [--reverse]
"""

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from actors.settings import MS, SECOND
from chaos.zoo import MUTANTS
from cluster.latency import load_profile
from experiments.plan import ClusterPlan, PartPlan, Plan, StepPlan, WorkloadPlan
from experiments.runner import run_plan

PROFILES = ("aws-2025", "gcp-2020", "azure-2026", "textbook", "lan", "loopback")


def plan_of(number: int) -> Plan:
    """The experiment of this number: small, with three faults on average in a fraction of a second."""
    draw = Random(number)
    duration_ns = draw.randrange(300, 1000) * MS
    cluster = cluster_of(draw)
    return Plan(
        experiment=f"random-{number}",
        seed=draw.getrandbits(32),
        duration_ns=duration_ns,
        cluster=cluster,
        system=system_of(draw),
        workloads=(workload_of(draw, fast=cluster.latency in ("lan", "loopback")),),
        chaos=tuple(step_of(draw, cluster, duration_ns) for _ in range(draw.randrange(7))),
    )


def cluster_of(draw: Random) -> ClusterPlan:
    profile = load_profile(draw.choice(PROFILES))
    near = draw.sample(profile.regions, min(len(profile.regions), draw.choice([1, 1, 2, 3])))
    return ClusterPlan(
        regions=tuple(draw.choice(near) for _ in range(draw.choice([1, 2, 3, 3, 4, 5, 5, 7]))),
        latency=profile.name,
        inside_region_rtt_ns=draw.choice([None, 2 * MS, 5 * MS]),
        fsync_ns=draw.choice([0, MS // 10, MS, 20 * MS]),
    )


def system_of(draw: Random) -> PartPlan:
    if draw.random() < 0.2:
        return PartPlan(name="bully", settings={"heartbeat_ns": 30 * MS, "timeout_ns": 100 * MS})
    least = draw.choice([30, 100, 300]) * MS
    mutant = draw.choice([None, None, *MUTANTS["raft"]])
    return PartPlan(name="raft", settings={"election_timeout_ns": (least, 2 * least), "mutant": mutant})


def workload_of(draw: Random, *, fast: bool) -> WorkloadPlan:
    """A closed loop only where a round trip takes a while: on a fast network it would run thousands of operations."""
    settings: dict[str, Any] = {
        "clients": draw.randrange(1, 6),
        "rate": draw.choice([20.0, 200.0] if fast else [None, 20.0, 200.0]),
        "keys": draw.randrange(1, 5),
        "timeout_ns": draw.choice([100 * MS, SECOND // 2]),
    }
    if draw.random() < 0.5:
        return WorkloadPlan(called="append", name="append", settings=settings)
    return WorkloadPlan(
        called="register", name="register", settings={**settings, "mix": {"read": 0.5, "write": 0.3, "cas": 0.2}}
    )


def step_of(draw: Random, cluster: ClusterPlan, duration_ns: int) -> StepPlan:
    fault, settings = fault_of(draw, cluster)
    once = draw.random() < 0.7
    return StepPlan(
        fault=fault,
        settings=settings,
        at_ns=draw.randrange(duration_ns) if once else None,
        every_ns=None if once else draw.randrange(100, 400) * MS,
        for_ns=draw.choice([None, draw.randrange(20, 300) * MS]),
    )


def fault_of(draw: Random, cluster: ClusterPlan) -> tuple[str, dict[str, Any]]:
    words = ["leader", "random", "follower", "all", f"n{len(cluster.regions)}", cluster.regions[0]]
    if len(cluster.regions) >= 3:
        words += ["minority", "random minority"]
    fault = draw.choice(["crash", "pause", "slow_fsync", "loss", "duplicate", "delay", "partition", "partition"])
    if fault == "partition":
        side: dict[str, Any] = draw.choice([
            {"isolate": (draw.choice(words),)},
            {"halves": draw.choice(["random", "regions"])},
            {"between": (("n1",), ("random",))},
        ])  # fmt: skip
        return fault, {**side, "direction": draw.choice(["both", "in", "out"]), "clients": draw.random() < 0.3}
    settings: dict[str, Any] = {"nodes": (draw.choice(words),)}
    if fault in ("slow_fsync", "delay"):
        settings["time_ns"] = draw.choice([MS, 30 * MS, 300 * MS])
    if fault in ("loss", "duplicate"):
        settings["share"] = draw.choice([0.01, 0.3, 1.0])
    if fault in ("loss", "duplicate", "delay"):
        settings["direction"] = draw.choice(["both", "in", "out"])
    return fault, settings


def digest_of(plan: Plan) -> str:
    """Run a plan on the simulator."""
    with tempfile.TemporaryDirectory() as folder:
        result = run_plan(plan, Path(folder), watch=lambda _: None)
    assert result.digest is not None
    return result.digest


def main(first: str, count: str, order: str = "") -> None:
    numbers = list(range(int(first), int(first) + int(count)))
    if order == "--reverse":
        numbers.reverse()
    for number in numbers:
        print(number, digest_of(plan_of(number)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
