"""A walk through what may happen to a cluster of Raft cores: one step at a time, chosen by whoever walks.

Letters are delivered in any order, doubled and lost; timers go off at any time; disks are slow; nodes crash with a
part of what they had not synced; members change, the lead is handed over, logs are compacted. After each step the
cluster's invariants are judged (`RaftCluster`, `RaftInvariants`).
"""

from collections.abc import Callable

import msgspec
from raft_cluster import PLAIN, RaftCluster

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import LeaveJoint, Reconfigure, TransferLeadership
from actors.protocols.raft_settings import RaftSettings
from actors.settings import MS

Choose = Callable[[int], int]
"""Choose a number from 0 to n - 1."""

SERVERS = 4
# No cluster of one: its leader commits in memory what the barrier still holds back; no oracle of memory can judge that.
MEMBERS = (
    Reconfigure((0, 1, 2)),
    Reconfigure((0, 1, 2, 3)),
    Reconfigure((1, 2, 3)),
    Reconfigure((0, 3)),
    Reconfigure((2, 3), learners=(0, 1)),
    Reconfigure((0, 1, 3), joint=True),
    Reconfigure((1, 2, 3), learners=(0,), leave=False),
)
BUSY = msgspec.structs.replace(
    PLAIN, voters=3, batch=2, in_flight=3, snapshot_every=4, trailing=1, chunk=2, promote_lag=3, session_entries=20
)
FLAVOURS = (
    BUSY,
    msgspec.structs.replace(BUSY, pre_vote=True, check_quorum=True),
    msgspec.structs.replace(BUSY, parallel_write=True),
    msgspec.structs.replace(BUSY, reads="read-index", forward=True),
    msgspec.structs.replace(BUSY, witnesses=1, check_quorum=True, parallel_write=True),
)


class Walk:
    """One cluster on its way."""

    def __init__(self, kind: type[Raft] = Raft, settings: RaftSettings = BUSY) -> None:
        self.cluster = RaftCluster(SERVERS, kind=kind, settings=settings)
        self.crashes = 0

    def step(self, choose: Choose) -> None:
        """Let one thing happen. Deliveries are the most likely, so that something comes about."""
        kind = choose(24)
        if kind < 14:
            self.deliver(choose)
        else:
            (self.fire, self.fire, self.propose, self.propose, self.drop, self.double, self.slow, self.sync,
             self.crash, self.operate)[kind - 14](choose)  # fmt: skip

    def deliver(self, choose: Choose) -> None:
        """Mostly some of the oldest letters in their order: else nothing would ever be agreed."""
        if choose(3):
            for _ in range(1 + choose(8)):
                if self.cluster.mail:
                    self.cluster.deliver(self.cluster.mail[0])
        elif self.cluster.mail:
            self.cluster.deliver(self.cluster.mail[choose(len(self.cluster.mail))])

    def drop(self, choose: Choose) -> None:
        if self.cluster.mail:
            self.cluster.mail.pop(choose(len(self.cluster.mail)))

    def double(self, choose: Choose) -> None:
        if self.cluster.mail:
            self.cluster.hand(self.cluster.mail[choose(len(self.cluster.mail))])

    def alive(self, choose: Choose) -> NodeId | None:
        nodes = sorted(self.cluster.actors)
        return nodes[choose(len(nodes))] if nodes else None

    def fire(self, choose: Choose) -> None:
        """A timer goes off; clocks have moved on by a part of an election time-out. A leader is mostly left alone."""
        node = self.alive(choose)
        leaders = self.cluster.leaders
        if leaders and choose(4):
            node = leaders[choose(len(leaders))]
            self.cluster.fire(node, "heartbeat")
        elif node is not None:
            self.cluster.clock_ns += choose(200) * MS
            timers = sorted(self.cluster.nodes[node].timers)
            if timers:
                self.cluster.fire(node, timers[choose(len(timers))])

    def propose(self, choose: Choose) -> None:
        """To a leader if there is one; reads and retries too."""
        node = self.cluster.leaders[choose(len(self.cluster.leaders))] if self.cluster.leaders else self.alive(choose)
        if node is not None:
            self.cluster.propose(node, function="read" if choose(4) == 0 else "append", key="k")

    def slow(self, choose: Choose) -> None:
        node = self.alive(choose)
        if node is not None:
            self.cluster.nodes[node].slow = True

    def sync(self, choose: Choose) -> None:
        node = self.alive(choose)
        if node is not None:
            self.cluster.nodes[node].slow = choose(2) == 0
            self.cluster.nodes[node].sync()

    def crash(self, choose: Choose) -> None:
        """Crash one, or bring one back; a part of what it had not synced may have reached the disk."""
        down = sorted(set(range(SERVERS)) - set(self.cluster.actors))
        if down and choose(3):
            self.cluster.start(down[choose(len(down))])
            return
        node = self.alive(choose)
        if node is not None:
            self.cluster.crash(node, keep=choose(len(self.cluster.nodes[node].unsynced) + 1))
            self.crashes += 1

    def operate(self, choose: Choose) -> None:
        """An operator's message, to a leader if there is one."""
        leaders = self.cluster.leaders
        node = leaders[choose(len(leaders))] if leaders else self.alive(choose)
        if node is None:
            return
        messages = (*MEMBERS, LeaveJoint(), *(TransferLeadership(to) for to in range(SERVERS)))
        self.cluster.ask(node, messages[choose(len(messages))])

    # the end

    def calm_down(self) -> None:
        """Faults stop: all nodes are up, disks are fast, letters arrive. A leader must come, and commit."""
        cluster = self.cluster
        for node in range(SERVERS):
            if node not in cluster.actors:
                cluster.start(node)
            cluster.nodes[node].slow = False
            cluster.nodes[node].sync()
        for _ in range(60):
            if self.has_converged():
                return
            self.next_timer()
            cluster.settle()
        raise AssertionError("faults stopped, and 60 time-outs later nothing is agreed")

    def next_timer(self) -> None:
        """The clock goes on to the next election or heartbeat that is due."""
        cluster = self.cluster
        due = min(
            (at, node, timer)
            for node, found in cluster.nodes.items()
            for timer, at in found.timers.items()
            if timer in ("election", "heartbeat", "quorum", "transfer")
        )
        cluster.clock_ns = max(cluster.clock_ns, due[0])
        cluster.fire(due[1], due[2])

    def has_converged(self) -> bool:
        """One leader, all of whose log is committed on every member, this term's first entry with it."""
        leading = [actor for actor in self.cluster.actors.values() if actor.role == "leader"]
        if not leading:
            return False
        leader = max(leading, key=lambda actor: actor.term)
        last = leader.log.last_index
        members = leader.configuration.members
        return leader.log.term_at(leader.commit) == leader.term and all(
            self.cluster.actors[member].commit == last for member in {*members, leader.node.id}
        )
