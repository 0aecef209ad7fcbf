"""Each system recovers from a crash at each of its disk writes, whatever part of what was not synced survives."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from scenario import Script, small_setup

import splitbrain
from actors.message import Event, Message, NodeId
from actors.node import Actor
from actors.settings import MS, Settings
from actors.systems import SYSTEMS
from cluster.fabric import ActorSpec
from cluster.journal import Journal
from cluster.sim.crash_points import CrashPoint, WritesLoop
from cluster.sim.fabric import run_loop
from experiments.crash_points import CrashPointFailed, Explored, explore, verdict_of, writes_of
from experiments.plan import ClusterPlan, PartPlan, Plan, WorkloadPlan

RAFT = {"election_timeout_ns": (60 * MS, 120 * MS)}


def small(system: str, settings: dict[str, Any], *checks: str, workload: str = "append", seed: int = 3) -> Plan:
    """Three servers, two clients that send a few operations, and disks so slow that writes gather behind a sync."""
    return Plan(
        experiment=f"crash-points-{system}",
        seed=seed,
        duration_ns=400 * MS,
        cluster=ClusterPlan(
            regions=("us-east-1",) * 3, latency="aws-2025", inside_region_rtt_ns=2 * MS, fsync_ns=8 * MS
        ),
        system=PartPlan(name=system, settings=settings),
        workloads=(
            WorkloadPlan(
                called=workload, name=workload, settings={"clients": 2, "rate": 60.0, "keys": 2, "timeout_ns": 200 * MS}
            ),
        ),
        check=checks,
    )


PLANS = {
    "bully": small("bully", {"heartbeat_ns": 30 * MS, "timeout_ns": 100 * MS}),
    "dynamo": small("dynamo", {}, workload="siblings"),
    "gossip": small("gossip", {"interval_ns": 20 * MS}),
    "raft": small("raft", RAFT, "linearizable", "raft-safety"),
}


def test_every_system_has_a_plan_here() -> None:
    assert set(PLANS) == set(SYSTEMS)


@pytest.mark.parametrize("system", sorted(PLANS))
def test_a_system_recovers_at_each_of_its_crash_points(system: str) -> None:
    explored = explore(PLANS[system])
    assert explored.failed == ()
    if system in ("raft", "dynamo"):
        assert explored.points > explored.writes > 10, "writes gather behind a sync, so a crash has several outcomes"


def test_the_writes_of_a_run_are_those_of_its_servers_in_order_of_time() -> None:
    writes = writes_of(PLANS["raft"])
    assert [write.time_ns for write in writes] == sorted(write.time_ns for write in writes)
    assert {write.node for write in writes} == {0, 1, 2}
    assert max(write.unsynced for write in writes) > 1


def test_a_file_asks_for_all_crash_points(tmp_path: Path) -> None:
    experiment = {
        "name": "points",
        "cluster": {"nodes": 3},
        "system": {"raft": {"election_timeout": "60ms..120ms"}},
        "workload": {"append": {"clients": 1, "rate": "20/s"}},
        "duration": "200ms",
        "crash_points": "all",
        "check": ["raft-safety"],
    }
    verdict = splitbrain.run(experiment, store=tmp_path).runs[0].verdicts["crash-points"]
    assert verdict.valid is True
    assert verdict.checked >= 2 * verdict.evidence["writes"] > 10


def test_a_verdict_names_the_first_point_that_failed_and_knows_when_there_was_none() -> None:
    failed = CrashPointFailed(point=CrashPoint(4, 1), node="n2", time_ms=12.5, reason="raft-safety: two leaders")
    verdict = verdict_of(Explored(writes=9, points=20, failed=(failed,)))
    assert verdict.valid is False
    assert verdict.reason == (
        "a crash of n2 at write 4 (12.500 ms) that keeps 1 unsynced records: raft-safety: two leaders"
    )
    assert verdict_of(Explored(writes=0, points=0, failed=())).valid == "unknown"


# the exploration itself, on a keeper of numbers


class Number(Message, frozen=True):
    """To be kept."""

    number: int


class Kept(Message, frozen=True):
    """It is on disk, says the keeper."""

    number: int


class Acknowledged(Event, frozen=True):
    """The client was told so."""

    number: int


class Keeper(Actor):
    """Appends numbers to its disk and acknowledges them behind the barrier."""

    logs: ClassVar = {"numbers": int}

    def on_number(self, client: NodeId, message: Number) -> None:
        self.node.append("numbers", [message.number])
        self.acknowledge(client, message.number)

    def acknowledge(self, client: NodeId, number: int) -> None:
        self.node.send(client, Kept(number))

    handlers: ClassVar = {Number: on_number}


class HastyKeeper(Keeper):
    """Acknowledges what is not on its disk yet."""

    def acknowledge(self, client: NodeId, number: int) -> None:
        self.node.send_unsaved(client, Kept(number))


class Giver(Actor):
    """Gives 20 numbers, one every 3 ms."""

    def start(self) -> None:
        self.number = 0
        self.on_give()

    def on_give(self) -> None:
        self.number += 1
        self.node.send(0, Number(self.number))
        if self.number < 20:
            self.node.set_timer("give", 3 * MS)

    def on_kept(self, _: NodeId, message: Kept) -> None:
        self.node.emit(Acknowledged(message.number))

    handlers: ClassVar = {Kept: on_kept}
    timers: ClassVar = {"give": on_give}


def keep(keeper: type[Actor], point: CrashPoint | None) -> tuple[WritesLoop, set[int]]:
    """Run a keeper with a disk that takes 8 ms; which acknowledged numbers its disk lacks at the end."""
    servers, clients = [ActorSpec(keeper, Settings())], [ActorSpec(Giver, Settings())]
    setup = small_setup(servers, clients, duration_ns=120 * MS, fsync_ns=8 * MS)
    journal = Journal(None, host="sim", origin_ns=0)
    loop = WritesLoop(setup, journal, Script(), point=point)
    run_loop(loop, Script(), lambda _: None)
    journal.flush()
    told = {entry.item.number for entry in journal.entries if isinstance(entry.item, Acknowledged)}
    return loop, told - set(loop.nodes[0].disk.load().logs.get("numbers", []))


def losses(keeper: type[Actor]) -> list[tuple[CrashPoint, set[int]]]:
    """What is lost at each crash point at which anything is."""
    writes = keep(keeper, None)[0].writes
    points = [point for number, write in enumerate(writes, 1) for point in write.points(number)]
    assert len(points) > 2 * len(writes) == 40
    return [(point, lost) for point in points if (lost := keep(keeper, point)[1])]


def test_a_keeper_behind_the_barrier_loses_nothing_that_it_acknowledged_at_any_point() -> None:
    assert losses(Keeper) == []


def test_a_keeper_beside_the_barrier_loses_what_it_acknowledged() -> None:
    """And only where the crash keeps less than all that was written."""
    found = losses(HastyKeeper)
    assert found
    writes = keep(HastyKeeper, None)[0].writes
    assert all(point.kept < writes[point.write - 1].unsynced for point, _ in found)


def test_a_crash_point_keeps_as_many_records_as_it_says() -> None:
    """At one write: with each record more that survives, one number more is on disk when the keeper is back."""
    writes = keep(Keeper, None)[0].writes
    number, write = next((number, write) for number, write in enumerate(writes, 1) if write.unsynced >= 3)
    lost = []
    for point in write.points(number):
        loop, _ = keep(Keeper, point)
        numbers = loop.nodes[0].disk.load().logs["numbers"]
        lost.append(len(set(range(1, number + 1)) - set(numbers)))
    assert lost == list(range(write.unsynced, -1, -1))
