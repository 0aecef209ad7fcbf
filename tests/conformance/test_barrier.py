"""The barrier: nothing leaves a node before every save that it asked for so far is durable, on every fabric.

Slow disks, duplicated messages and a storm of crashes; what a node told before a crash must be on its disk after it.
"""

import msgspec
import pytest
from fabric_runs import Ended, RunOn
from scenario import REGION, lost_appends, raft_setup, small_setup, terms_with_two_leaders
from witnesses import Heard, Saver

from actors.election import RoleChanged
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import LogChanged
from actors.settings import MS, SECOND, Settings
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from cluster.fabric import ActorSpec, Setup
from cluster.journal import NodeStarted, NodeStopped
from experiments.recording import Recording, record


def storm(setup: Setup, *crashes: tuple[int, str]) -> Controller:
    """Slow disks and duplicates for the whole run, and crashes of 200 ms at these times (ms)."""
    lines: list[tuple[str, dict[str, object], int, int | None]] = [
        ("slow_fsync", {"nodes": ["all"], "time_ns": 15 * MS}, 0, None),
        ("duplicate", {"nodes": ["all"], "share": 0.4}, 0, None),
        *(("crash", {"nodes": [whom]}, at_ms * MS, 200 * MS) for at_ms, whom in crashes),
    ]
    steps = tuple(Step(name, msgspec.convert(what, FAULTS[name]), at, None, span) for name, what, at, span in lines)
    return Controller(steps, seed=setup.seed, duration_ns=setup.duration_ns)


# a node that saves all the time


@pytest.fixture(scope="module")
def savers(run_on: RunOn) -> Ended:
    """Two nodes that save a number and then tell it, crashed in turn."""
    setup = small_setup(
        [ActorSpec(Saver, Settings())] * 2, regions=(REGION,) * 2, duration_ns=2500 * MS, drain_ns=1500 * MS
    )
    return run_on(setup, storm(setup, (500, "n1"), (900, "n2"), (2200, "n1")))


def recoveries(savers: Ended, node: int) -> list[Heard]:
    """What a node told of its disk at each start, the first one included."""
    return [e.item for e in savers.of(Heard, node) if e.item.sender == node]


def test_no_peer_ever_hears_of_a_save_that_a_crash_undoes(savers: Ended) -> None:
    """What a node finds on its disk is at least the largest number that its peer ever heard of it before."""
    for node, peer in ((0, 1), (1, 0)):
        beats = [e.item for e in savers.of(Heard, peer) if e.item.sender == node]
        for found in recoveries(savers, node)[1:]:
            told = [beat.number for beat in beats if beat.incarnation < found.incarnation]
            assert found.number >= max(told) > 20


# a Raft


@pytest.fixture(scope="module")
def raft(run_on: RunOn) -> tuple[Ended, Recording]:
    """Three servers, the leader crashed again and again."""
    setup = raft_setup(Raft, servers=3, duration_ns=6 * SECOND, seed=3)
    crashes = [(at_ms, "leader") for at_ms in (800, 2000, 3200, 4400)]
    ended = run_on(setup, storm(setup, *crashes))
    return ended, record(setup.topology, setup.duration_ns, 0, ended.entries)


def test_no_term_has_two_leaders(raft: tuple[Ended, Recording]) -> None:
    ended, recording = raft
    assert terms_with_two_leaders(recording) == {}
    assert len(ended.of(NodeStopped)) >= 3
    assert max(e.item.term for e in ended.of(RoleChanged)) >= 4, "crashed leaders were replaced"


def test_no_acknowledged_append_is_lost(raft: tuple[Ended, Recording]) -> None:
    _, recording = raft
    assert lost_appends(recording.history) == []
    assert sum(operation.outcome == "ok" for operation in recording.history) > 50


def test_what_a_server_told_of_its_log_and_term_is_on_its_disk_after_a_crash(raft: tuple[Ended, Recording]) -> None:
    """Events wait behind the barrier as messages do."""
    ended, _ = raft
    restarts = 0
    for node in range(3):
        log: list[tuple[int, int, int]] = []
        term = 0
        starting = False
        for entry in (e for e in ended.entries if e.node == node):
            match entry.item:
                case NodeStarted():
                    starting = entry.item.incarnation > 0
                case RoleChanged():
                    assert entry.item.term >= term
                    term = entry.item.term
                case LogChanged():
                    if starting:
                        assert list(entry.item.entries)[: len(log)] == log
                        restarts += 1
                    starting = False
                    log[entry.item.after :] = entry.item.entries
    assert restarts >= 3
