"""Raft and its clients (§8): who takes a command, and what a client is told.

Exactly once is the state machine's part (`actors.state.key_value`): a command that comes twice is applied once.
"""

from actors.client import Command, Redirect, Reply, Request
from actors.message import NodeId
from actors.protocols.raft_base import RaftBase, Waiting
from actors.protocols.raft_messages import Forwarded
from actors.state.log import Entry, size_bytes


class Clients(RaftBase):
    """Commands on their way in."""

    def on_request(self, client: NodeId, request: Request) -> None:
        """Take a client's command if this is the leader, else say who is, or pass it on."""
        command = request.command
        if not self.reads_by_log and command.function == "read":
            self.read(client, command)
        elif self.role == "leader":
            self.propose(client, command)
        elif self.settings.forward and self.leader is not None:
            self.node.send(self.leader, Forwarded(client, command))
        else:
            self.redirect(client, command, self.leader)

    def on_forwarded(self, _: NodeId, request: Forwarded) -> None:
        """A follower passed a command on; it isn't passed on twice."""
        if self.role == "leader":
            self.propose(request.client, request.command)
        else:
            self.redirect(request.client, request.command, self.leader)

    def propose(self, client: NodeId, command: Command) -> None:
        """Append a command, unless the lead is being handed over or too much is uncommitted."""
        if self.transferee is not None:
            self.redirect(client, command, None)
            return
        entry = Entry(self.term, command)
        size = 0 if self.settings.uncommitted_kb is None else size_bytes(entry)
        if size and not self.has_room_for(size):
            self.node.send(client, Reply(command.process, command.serial, "busy", None))
            return
        self.uncommitted_bytes += size
        self.add(entry)
        self.waiting[self.log.last_index] = Waiting(client, command.process, command.serial, size)

    def has_room_for(self, size: int) -> bool:
        """Whether the bound on uncommitted bytes lets this one in; one alone always may."""
        bound = 1000 * (self.settings.uncommitted_kb or 0)
        return not self.uncommitted_bytes or self.uncommitted_bytes + size <= bound

    def redirect(self, client: NodeId, command: Command, leader: NodeId | None) -> None:
        self.node.send(client, Redirect(command.process, command.serial, leader))

    def give_up_waiting(self) -> None:
        """A leader that steps down can't know what becomes of the commands that it took."""
        for waiting in self.waiting.values():
            self.node.send(waiting.client, Reply(waiting.process, waiting.serial, "leadership-lost", None))
        for reading in (*self.early_reads, *self.unconfirmed):
            if reading.command is not None:
                self.redirect(reading.asker, reading.command, None)
