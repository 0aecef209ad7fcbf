"""An operator's steps change what they say, on the simulator; a system that can't is told so when a file is read."""

from typing import Any

import msgspec
import pytest
from scenario import RAFT, CheckedLoop, Run, raft_setup, simulate

from actors.election import RoleChanged
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import QuorumForced
from actors.settings import MS, SECOND
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from cluster.sim.loop import SimLoop
from experiments.spec.load import load_spec
from experiments.spec.problem import InvalidFile

THREE_VOTE = msgspec.structs.replace(RAFT, voters=3)


def run(*lines: tuple[int, str, dict[str, Any]], settings: Any = THREE_VOTE, checked: bool = True) -> Run:
    """Five servers of which three vote at first, through these steps: (at ms, name, settings)."""
    setup = raft_setup(Raft, settings, servers=5, duration_ns=5 * SECOND)
    steps = tuple(Step(name, msgspec.convert(what, FAULTS[name]), at * MS, None, None) for at, name, what in lines)
    loop_kind = CheckedLoop if checked else SimLoop
    return simulate(setup, Controller(steps, seed=1, duration_ns=setup.duration_ns), loop_kind=loop_kind)


def test_members_makes_these_the_members():
    ended = run((1500, "members", {"voters": ["n2", "n3", "n4", "n5"], "learners": ["n1"]}))
    for node in range(5):
        now = ended.actor(node).configuration
        assert (now.voters, now.learners, now.is_joint) == ((1, 2, 3, 4), (0,), False)


def test_transfer_makes_this_one_the_leader():
    ended = run((2000, "transfer", {"to": ["n3"]}), (3000, "transfer", {"to": ["n1"]}))
    led = [
        (seen.node, seen.time_ns)
        for seen in ended.recording.events
        if isinstance(seen.event, RoleChanged) and seen.event.role == "leader" and seen.time_ns > 2 * SECOND
    ]
    assert led[-1][0] == 0
    assert all(after_ns < 4 * SECOND for _, after_ns in led)


def test_force_quorum_lets_a_minority_go_on_and_says_what_it_still_has():
    """Its invariants aren't asserted: at the end the lost servers are back with their old configuration."""
    lost = (1500, "crash", {"nodes": ["n1", "n2", "n3"]})
    force = (2500, "force_quorum", {"nodes": ["n4", "n5"]})
    ended = run(lost, force, settings=RAFT, checked=False)
    forced = [seen.event for seen in ended.recording.events if isinstance(seen.event, QuorumForced)]
    assert [event.nodes for event in forced] == [(3, 4), (3, 4)]
    late = [one for one in ended.recording.history if one.invoke_ns > 3500 * MS]
    assert any(one.outcome == "ok" for one in late)


def test_a_system_without_members_says_so_when_the_file_is_read(tmp_path):
    text = """
name: x
cluster: {nodes: 3}
system: bully
workload: register
duration: 5s
chaos: [{at: 1s, members: {voters: [n1, n2]}}]
"""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile, match="bully has no members; raft has"):
        load_spec(path)
