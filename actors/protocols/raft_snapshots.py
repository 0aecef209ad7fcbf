"""Raft's log compaction (§7): each server compacts its own log; a follower that lacks what is gone gets a snapshot.

Snapshots go in chunks of items; a lost chunk is asked for again, and a leader that follows goes on where the last one
stopped if it sends the same snapshot. Entries go on being committed meanwhile: the leader keeps those behind a
snapshot that it sends, and the state machine's values never change in place, so that taking a snapshot copies no more
than references.
"""

from actors.message import NodeId
from actors.protocols.raft_base import RaftBase
from actors.protocols.raft_messages import Appended, Compacted, InstallSnapshot, Rejected, SnapshotTaken
from actors.protocols.raft_replication import place_of
from actors.state.configuration import Configuration
from actors.state.progress import Progress
from actors.state.snapshot import Incoming, Snapshot

PATIENCE = 4  # snapshots that a leader takes while it still keeps the entries behind an older one that it sends


class Snapshots(RaftBase):
    """Compaction, and the way back for who needs what is gone."""

    # compaction

    def take_snapshot(self) -> None:
        """Write the state machine down, and drop the entries that led to it but for the trailing ones."""
        items = () if self.is_witness else self.machine.items()
        self.snapshot = Snapshot(self.log.id_at(self.applied), self.configuration_at(self.applied), items)
        dropped = self.log.compact(max(self.log.start, self.last_to_drop()))
        self.write_snapshot(self.snapshot, dropped)
        if dropped:
            self.node.emit(Compacted(self.log.start_term, self.log.start))
        later = [pair for pair in self.configurations if pair[0] > self.applied]
        self.configurations = [(self.applied, self.snapshot.configuration), *later]

    def last_to_drop(self) -> int:
        """Keep the trailing entries, and those behind a snapshot that is being sent, unless that takes too long."""
        drop = self.applied - self.settings.trailing
        patience = PATIENCE * (self.settings.snapshot_every or 0)
        for follower in self.progress.values():
            if follower.snapshot is None:
                continue
            if self.applied - follower.snapshot.last.index > patience:
                follower.snapshot = None  # it may be down; it will begin anew with the latest one
            else:
                drop = min(drop, follower.snapshot.last.index)
        return drop

    def write_snapshot(self, snapshot: Snapshot, dropped: int) -> None:
        """One record: the snapshot, the log's new beginning, and where that lies."""
        self.node.save(base=place_of(self.log.base))
        self.node.snapshot(snapshot, log="log", drop=dropped)

    def configuration_at(self, index: int) -> Configuration:
        """The configuration in force at an applied entry."""
        return next(found for at, found in reversed(self.configurations) if at <= index)

    # sending

    def send_snapshot(self, peer: NodeId, follower: Progress) -> None:
        """Send the next chunk; called again with each answer and each heartbeat, so a lost one comes again."""
        if follower.snapshot is None:
            assert self.snapshot is not None, "what is not in the log is in a snapshot"
            follower.begin_snapshot(self.snapshot)
        snapshot = follower.snapshot
        assert snapshot is not None
        witness = peer in self.configuration.witnesses
        items = () if witness else snapshot.chunk(follower.taken, self.settings.chunk)
        total = 0 if witness else len(snapshot.items)
        chunk = InstallSnapshot(
            self.term, snapshot.last, snapshot.configuration, follower.taken, items, total, self.round
        )
        self.post(peer, chunk)

    def on_snapshot_taken(self, peer: NodeId, reply: SnapshotTaken) -> None:
        """Go on behind what the follower has, if it speaks of the snapshot that it is being sent."""
        follower = self.heard_from(peer, reply.term, reply.round)
        if follower is None or follower.snapshot is None or follower.snapshot.last != reply.last:
            return
        if reply.taken != follower.taken:
            follower.taken = reply.taken
            self.send_snapshot(peer, follower)

    # taking

    def on_install_snapshot(self, leader: NodeId, request: InstallSnapshot) -> None:
        """Gather the chunks; once all are there, they are the state (figure 13)."""
        if request.term < self.term:
            self.node.send(leader, Rejected(self.term, request.last.index, 0))
            return
        self.follow(leader, request.term)
        answered = request.round if self.version > 1 else 0
        if request.last.index <= self.commit or self.log.holds(request.last):
            self.commit_up_to(request.last.index)  # it is here already, entry by entry
            self.incoming = None
            self.node.send(leader, Appended(self.term, max(self.commit, request.last.index), answered))
            return
        incoming = self.incoming
        if incoming is None or incoming.last != request.last:
            incoming = Incoming(request.last)
        if request.offset == len(incoming.items):
            incoming = Incoming(request.last, incoming.items + request.items)
        self.incoming = incoming
        if len(incoming.items) == request.total:
            self.install(Snapshot(request.last, request.configuration, incoming.items))
            self.node.send(leader, Appended(self.term, self.commit, answered))
        else:
            self.node.send(leader, SnapshotTaken(self.term, request.last, len(incoming.items), answered))

    def install(self, snapshot: Snapshot) -> None:
        """Replace state machine, log and configuration by the snapshot; term and vote stay (§7)."""
        held = len(self.log.entries)
        self.incoming = None
        self.snapshot = snapshot
        self.log.begin_behind(snapshot.last)
        self.write_snapshot(snapshot, held)
        self.node.emit(Compacted(snapshot.last.term, snapshot.last.index, installed=True))
        self.machine.load(snapshot.items)
        self.commit = self.applied = snapshot.last.index
        self.configurations = [(self.applied, snapshot.configuration)]
        self.configuration = snapshot.configuration
        if self.later_reads:
            self.answer_later_reads()
