"""Reads that a client sends to a server of its own region."""

from scenario import client_pool, simulate, small_setup

from actors.client import Reply
from actors.message import Message
from actors.protocols.raft import Raft
from actors.protocols.raft_settings import RaftSettings
from actors.settings import MS, SECOND
from cluster.fabric import ActorSpec
from cluster.sim.loop import SimLoop
from experiments.workloads.register import Register

REGIONS = ("us-east-1", "eu-west-1", "eu-west-1")


class Overheard(SimLoop):
    """Counts who answers."""

    answered: dict[int, int]

    def transmit(self, source: int, target: int, message: Message) -> None:
        if isinstance(message, Reply):
            self.answered = {**getattr(self, "answered", {}), source: getattr(self, "answered", {}).get(source, 0) + 1}
        super().transmit(source, target, message)


def answers(how: str, read_at: str) -> dict[int, int]:
    """Who answered a client in Ireland that only reads, by server."""
    settings = RaftSettings(election_timeout_ns=(500 * MS, 1000 * MS), reads=how)
    workload = Register(clients=4, rate=50, mix={"read": 1.0}, read_at=read_at)
    setup = small_setup(
        [ActorSpec(Raft, settings)] * 3,
        [client_pool(workload, stop_after_ns=6 * SECOND, name="register")],
        regions=(*REGIONS, "eu-west-1"),
        duration_ns=6 * SECOND,
        drain_ns=SECOND,
    )
    return simulate(setup, loop_kind=Overheard).loop.answered


def test_near_reads_are_answered_by_both_servers_of_the_region():
    found = answers("follower", "near")
    assert found.get(1, 0) > 50
    assert found.get(2, 0) > 50


def test_others_by_the_leader_alone():
    found = answers("follower", "leader")
    assert len([server for server, times in found.items() if times > 50]) == 1
