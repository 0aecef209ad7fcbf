"""The barrier: nothing leaves a node before every save that it asked for so far is durable, on every fabric.

Slow disks, duplicated messages and a storm of crashes; what a node told before a crash must be on its disk after it.
"""

from typing import Any

import msgspec
import pytest
from fabric_runs import Ended, RunOn, is_alive
from scenario import REGION, lost_appends, raft_setup, small_setup, terms_with_two_leaders
from witnesses import Heard, Process, Saver

from actors.election import RoleChanged
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import LogChanged
from actors.settings import MS, SECOND, Settings
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from cluster.fabric import ActorSpec, Setup
from cluster.journal import NodeStarted, NodeStopped
from experiments.recording import Recording, record


def crash(*whom: str) -> dict[str, list[str]]:
    """The settings of a crash of these nodes, or of all that share a host with the one after `host_of`."""
    return {"host_of": list(whom[1:])} if whom[0] == "host_of" else {"nodes": list(whom)}


def storm(setup: Setup, *crashes: tuple[Any, ...]) -> Controller:
    """Slow disks and duplicates for the whole run, and crashes of 200 ms: (at ms, whom, ...)."""
    lines: list[tuple[str, dict[str, Any], int, int | None]] = [
        ("slow_fsync", {"nodes": ["all"], "time_ns": 15 * MS}, 0, None),
        ("duplicate", {"nodes": ["all"], "share": 0.4}, 0, None),
        *(("crash", crash(*whom), at_ms * MS, 200 * MS) for at_ms, *whom in crashes),
    ]
    steps = tuple(Step(name, msgspec.convert(what, FAULTS[name]), at, None, span) for name, what, at, span in lines)
    return Controller(steps, seed=setup.seed, duration_ns=setup.duration_ns)


# nodes that save all the time, two of them in each host


@pytest.fixture(scope="module")
def savers(run_on: RunOn) -> Ended:
    """Four nodes that save a number and then tell it. n1 and n3 crash alone, then n2's whole host."""
    setup = small_setup(
        [ActorSpec(Saver, Settings())] * 4, regions=(REGION,) * 4, duration_ns=2500 * MS, drain_ns=1500 * MS
    )
    setup = msgspec.structs.replace(setup, density=2)
    return run_on(setup, storm(setup, (500, "n1"), (1000, "n3"), (1500, "host_of", "n2"), (2200, "n3")))


def recoveries(savers: Ended, node: int) -> list[Heard]:
    """What a node told of its disk at each start, the first one included."""
    return [e.item for e in savers.of(Heard, node) if e.item.sender == node]


def test_no_peer_ever_hears_of_a_save_that_a_crash_undoes(savers: Ended) -> None:
    """What a node finds on its disk is at least the largest number that a peer ever heard of it before."""
    for node in range(4):
        beats = [e.item for e in savers.of(Heard) if e.item.sender == node != e.node]
        for found in recoveries(savers, node)[1:]:
            told = [beat.number for beat in beats if beat.incarnation < found.incarnation]
            assert found.number >= max(told) > 10
    assert [len(recoveries(savers, node)) for node in range(4)] == [3, 2, 3, 1]


def test_a_host_runs_on_while_one_of_its_nodes_is_down(savers: Ended) -> None:
    """n2 and n4 speak while n1 and n3, which share their hosts, are crashed."""
    for crashed, housemate in ((0, 1), (2, 3)):
        stopped = savers.of(NodeStopped, crashed)[0].time_ns
        started = savers.of(NodeStarted, crashed)[1].time_ns
        assert started - stopped < 600 * MS, "in a running process a restart is quick"
        said = [e for e in savers.of(Heard, 3 - housemate) if e.item.sender == housemate]
        while_down = sum(stopped < e.time_ns < started for e in said)
        assert while_down * 20 * MS >= started - stopped - 80 * MS, "a beat or more with each fsync"
        assert not [e for e in savers.of(Heard, crashed) if stopped < e.time_ns < started]


def test_the_process_is_killed_when_the_last_node_of_its_host_crashes(savers: Ended, fabric: str) -> None:
    """And the record says how each node went."""
    if fabric == "sim":
        assert not any(e.item.killed_process for e in savers.of(NodeStopped))
        return
    assert [[e.item.killed_process for e in savers.of(NodeStopped, node)] for node in range(4)] == [
        [False, True],
        [True],
        [False, False],
        [],
    ]
    pids = [[e.item.pid for e in savers.of(Process, node)] for node in range(4)]
    assert pids[0][0] == pids[0][1] == pids[1][0] != pids[0][2] == pids[1][1]
    assert len({*pids[2], *pids[3]}) == 1
    assert not is_alive(pids[0][0])


# a Raft


@pytest.fixture(scope="module")
def raft(run_on: RunOn) -> tuple[Ended, Recording]:
    """Three servers, crashed again and again: the leader where one is known, and each in turn."""
    setup = raft_setup(Raft, servers=3, duration_ns=6 * SECOND, seed=3)
    crashes = [(800, "n1"), (1600, "leader"), (2400, "n2"), (3200, "leader"), (4000, "n3"), (4800, "leader")]
    ended = run_on(setup, storm(setup, *crashes))
    return ended, record(setup.topology, setup.duration_ns, 0, ended.entries)


def test_no_term_has_two_leaders(raft: tuple[Ended, Recording]) -> None:
    ended, recording = raft
    assert terms_with_two_leaders(recording) == {}
    assert len(ended.of(NodeStopped)) >= 3
    assert max(e.item.term for e in ended.of(RoleChanged)) >= 2, "crashed leaders were replaced"


def test_no_acknowledged_append_is_lost(raft: tuple[Ended, Recording]) -> None:
    _, recording = raft
    assert lost_appends(recording.history) == []
    assert sum(operation.outcome == "ok" for operation in recording.history) >= 3


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
    assert restarts >= 2
