"""Handing the lead over (Ongaro's thesis, 2014, §3.10).

The leader takes no new commands, brings its successor's log up to its own, and asks it to stand at once, which no
stickiness holds up. If it isn't over within an election time-out, the leader goes on leading.
"""

from actors.message import NodeId
from actors.protocols.raft_base import RaftBase
from actors.protocols.raft_messages import TimeoutNow, TransferLeadership
from actors.state.progress import Progress


class Transfer(RaftBase):
    """From one leader to the next without an outage."""

    def on_transfer_leadership(self, _: NodeId, request: TransferLeadership) -> None:
        """An operator names the successor; one that doesn't lead passes it on."""
        if self.role != "leader":
            if self.leader is not None:
                self.node.send(self.leader, request)
            return
        follower = self.progress.get(request.to)
        if follower is None or not self.configuration.may_lead(request.to):
            return
        self.transferee = request.to
        self.node.set_timer("transfer", self.settings.election_timeout_ns[1])
        self.send_entries(request.to, follower)
        self.go_on_with_transfer(request.to, follower)

    def go_on_with_transfer(self, peer: NodeId, follower: Progress) -> None:
        """Let the successor stand once it has all of the log."""
        if peer == self.transferee and follower.match == self.log.last_index:
            self.handed_over = True  # for the rest of the term: the message may be late
            self.node.send(peer, TimeoutNow(self.term))

    def on_transfer(self) -> None:
        """It took too long: go on leading, and take commands again."""
        self.transferee = None

    def on_timeout_now(self, _: NodeId, request: TimeoutNow) -> None:
        """The leader itself wants this server to stand."""
        if request.term == self.term and self.role == "follower" and self.configuration.may_lead(self.node.id):
            self.become_candidate(transfer=True)
