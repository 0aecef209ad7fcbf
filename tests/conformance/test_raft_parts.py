"""Raft with all its parts on, on every fabric: snapshots on real disks and wires, reads by rounds, a parallel write."""

from typing import Any

import msgspec
import pytest
from fabric_runs import Ended, RunOn
from scenario import RAFT, lost_appends, raft_setup

from actors.protocols.raft import Raft
from actors.protocols.raft_messages import Compacted
from actors.settings import MS, SECOND
from chaos.controller import Controller, Step
from chaos.faults.crash import Crash
from experiments.checkers.linearizable import linearizable
from experiments.checkers.raft_safety import raft_safety
from experiments.recording import Recording, record
from experiments.workloads.append import Append

PARTS: dict[str, Any] = {
    "pre_vote": True,
    "check_quorum": True,
    "parallel_write": True,
    "reads": "read-index",
    "snapshot_every": 30,
    "trailing": 4,
    "chunk": 2,
    "witnesses": 1,
}


@pytest.fixture(scope="module")
def ended(run_on: RunOn) -> Ended:
    """n1 is down while the others write and compact; n2 crashes later, with a snapshot on its disk."""
    workload = Append(clients=6, keys=6, rate=80, timeout_ns=SECOND)
    setup = raft_setup(
        Raft, msgspec.structs.replace(RAFT, **PARTS), servers=5, duration_ns=6 * SECOND, workload=workload
    )
    steps = (
        Step("crash", Crash(nodes=("n1",)), 1500 * MS, None, 2 * SECOND),
        Step("crash", Crash(nodes=("n2",)), 4200 * MS, None, 500 * MS),
    )
    return run_on(setup, Controller(steps, seed=1, duration_ns=setup.duration_ns))


@pytest.fixture(scope="module")
def recording(ended: Ended) -> Recording:
    setup = raft_setup(Raft, servers=5)
    return record(setup.topology, 6 * SECOND, 0, ended.entries)


def test_the_server_that_missed_what_was_compacted_takes_a_snapshot(ended: Ended) -> None:
    assert [entry.item.index for entry in ended.of(Compacted, 0) if entry.item.installed]


def test_a_restart_goes_on_from_the_snapshot_on_its_disk(ended: Ended) -> None:
    """What is told of a log's beginning after the restart is what was told before it, or later."""
    told = [entry.item.index for entry in ended.of(Compacted, 1) if not entry.item.installed]
    assert told == sorted(told)
    assert len(told) > len(set(told)), "the restart tells the last one again"


def test_nothing_is_held_against_it(recording: Recording) -> None:
    assert raft_safety(recording.events, recording.topology).valid is True
    assert lost_appends(recording.history) == []
    assert linearizable(recording.history).valid is True
