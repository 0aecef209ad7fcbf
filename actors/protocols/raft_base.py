"""What all parts of Raft share: a server's state, how it begins, and what the parts ask of each other.

The parts stand in files of their own, one a section of the papers: `raft_elections` (§5.2, §5.4.1), `raft_replication`
(§5.3, §5.4.2), `raft_snapshots` (§7), `raft_reads` (thesis §6.4), `raft_membership` (thesis, chapter 4),
`raft_transfer` (thesis §3.10), `raft_clients` (§8). `raft` puts them together.
"""

from typing import ClassVar

import msgspec

from actors.client import Command
from actors.election import Role, RoleChanged
from actors.message import Message, NodeId
from actors.node import Actor, Node
from actors.protocols.raft_messages import Compacted, EntryName, LogChanged, LogRotten, Reconfigure
from actors.protocols.raft_settings import LATEST_VERSION, RaftSettings
from actors.state.configuration import Configuration
from actors.state.key_value import KeyValue
from actors.state.log import Entry, Log, LogId
from actors.state.progress import Progress
from actors.state.snapshot import Incoming, Snapshot


class Waiting(msgspec.Struct, frozen=True):
    """A client whose command stands in this leader's log, not yet committed."""

    client: NodeId
    process: int
    serial: int
    size_bytes: int = 0  # of its entry, where uncommitted bytes are bounded


class Reading(msgspec.Struct, frozen=True):
    """A read on its way: whom to answer, and what must come first."""

    asker: NodeId  # a client, or the follower that asks for it
    number: int  # the follower's, to tell its reads apart; 0 for a client
    command: Command | None  # a client's; None where a follower asks
    index: int = 0  # the log must be applied up to here
    round: int = 0  # and this round of heartbeats answered


class RaftBase(Actor):
    """State and beginnings; the methods that raise NotImplementedError stand in the parts."""

    settings_type = RaftSettings
    logs: ClassVar = {"log": Entry}
    snapshot_type: ClassVar[type | None] = Snapshot
    volatile: ClassVar = {
        "role": Role,
        "leader": NodeId | None,
        "term": int,
        "voted_for": NodeId | None,
        "log": Log,
        "commit": int,
        "applied": int,
        "machine": KeyValue,
        "configurations": list[tuple[int, Configuration]],
        "configuration": Configuration,
        "rotten": bool,
        "votes": list[NodeId],
        "refusals": list[NodeId],
        "polled": list[NodeId] | None,
        "patience": int,
        "heard_ns": int,
        "progress": dict[NodeId, Progress],
        "waiting": dict[int, Waiting],
        "uncommitted_bytes": int,
        "stored": int,
        "snapshot": Snapshot | None,
        "incoming": Incoming | None,
        "round": int,
        "answered_round": int,
        "sent_rounds": dict[int, int],
        "early_reads": list[Reading],
        "unconfirmed": list[Reading],
        "asked": dict[int, Reading],
        "later_reads": list[Reading],
        "reads_asked": int,
        "forced": Configuration | None,
        "goal": Reconfigure | None,
        "transferee": NodeId | None,
        "handed_over": bool,
    }

    def __init__(self, node: Node, settings: RaftSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.version = 1 if settings.upgrade and not node.incarnation else LATEST_VERSION
        self.reads_by_log = settings.reads == "log"
        self.sticky = settings.is_sticky
        self.window_bytes = None if settings.in_flight_kb is None else 1000 * settings.in_flight_kb
        self.timeouts = node.random("election time-out")
        # persistent (figure 2)
        self.term = 0
        self.voted_for: NodeId | None = None
        self.log = Log()
        self.snapshot: Snapshot | None = None
        # what the log and the snapshot amount to
        self.commit = 0
        self.applied = 0
        self.machine = KeyValue()
        self.configuration = first_configuration(settings, len(node.peers))
        self.configurations = [(0, self.configuration)]  # (index of its entry, configuration), the latest at the end
        self.rotten = False  # what was acknowledged may be missing: no vote until a leader has brought it back
        self.forced: Configuration | None = None  # by an operator, not yet in the log
        # elections
        self.role: Role = "follower"
        self.leader: NodeId | None = None
        self.votes: list[NodeId] = []
        self.refusals: list[NodeId] = []
        self.polled: list[NodeId] | None = None  # who granted a pre-vote, while one is under way
        self.patience = 0  # time-outs let pass in favour of preferred servers
        self.heard_ns = 0  # when a leader was heard last, by the monotonic clock; kept only if settings.is_sticky
        self.incoming: Incoming | None = None
        self.asked: dict[int, Reading] = {}  # by number: reads that wait for the leader's word
        self.later_reads: list[Reading] = []  # that wait until the log is applied up to their index
        self.reads_asked = 0
        self.begin_leading()

    def begin_leading(self) -> None:
        """A leader's volatile state (figure 2), as at the beginning of its term."""
        self.progress: dict[NodeId, Progress] = {}
        self.waiting: dict[int, Waiting] = {}
        self.uncommitted_bytes = 0
        self.stored = 0  # up to where this leader's own disk holds its log; counts only if it writes in parallel
        self.round = 0
        self.answered_round = 0  # the last one that a quorum answered
        self.sent_rounds: dict[int, int] = {}  # when the rounds after that one were sent, by the monotonic clock
        self.early_reads: list[Reading] = []  # came before an entry of this term was committed
        self.unconfirmed: list[Reading] = []  # wait for their round, in its order
        self.goal: Reconfigure | None = None
        self.transferee: NodeId | None = None
        self.handed_over = False  # another one was asked to stand, and may do so at any time from then on

    def start(self) -> None:
        """Take up term, vote, snapshot and log from disk (figure 2, persistent state), as a follower."""
        disk = self.node.load()
        self.term = disk.facts.get("term", 0)
        self.voted_for = disk.facts.get("voted_for")
        self.node.emit(RoleChanged("follower", self.term))
        if disk.snapshot is not None:
            self.resume_from(disk.snapshot, LogId(*disk.facts["base"]))
        self.log.extend(disk.logs.get("log", []))
        self.node.emit(LogChanged(self.log.start, names(self.log.entries)))
        self.adopt_logged_configurations()
        self.rotten = disk.facts.get("rotten", False)
        if "log" in disk.rotten:
            self.rotten = True
            self.node.save(rotten=True)  # a restart heals nothing
            self.node.emit(LogRotten(self.log.last_index, self.log.start + disk.rotten["log"]))
        if "forced" in disk.facts:
            self.adopt_forced(*disk.facts["forced"])
        self.heard_ns = self.node.monotonic_ns()  # it may have promised a leader to stay away before it crashed
        self.reset_election_timer()

    def resume_from(self, snapshot: Snapshot, base: LogId) -> None:
        """Begin with a snapshot from disk; the log goes on behind `base`, which may lie before the snapshot's end."""
        self.snapshot = snapshot
        self.machine.load(snapshot.items)
        self.commit = self.applied = snapshot.last.index
        self.log.begin_behind(base)
        self.configurations = [(snapshot.last.index, snapshot.configuration)]
        self.configuration = snapshot.configuration
        self.node.emit(Compacted(base.term, base.index))

    def adopt_logged_configurations(self) -> None:
        """The latest configuration in the log counts, whether committed or not (§6)."""
        for index in range(self.configurations[0][0] + 1, self.log.last_index + 1):
            command = self.log[index].command
            if type(command) is Configuration:
                self.configurations.append((index, command))
        self.configuration = self.configurations[-1][1]

    @property
    def is_witness(self) -> bool:
        return self.node.id in self.configuration.witnesses

    def others(self) -> list[NodeId]:
        """All other members."""
        return [member for member in self.configuration.members if member != self.node.id]

    # what the parts ask of each other

    def become_follower(self, term: int) -> None:
        raise NotImplementedError

    def become_candidate(self, *, transfer: bool = False) -> None:
        raise NotImplementedError

    def follow(self, leader: NodeId, term: int) -> None:
        raise NotImplementedError

    def reset_election_timer(self) -> None:
        raise NotImplementedError

    def add(self, entry: Entry) -> None:
        raise NotImplementedError

    def send_entries(self, peer: NodeId, follower: Progress, *, heartbeat: bool = False) -> None:
        raise NotImplementedError

    def send_heartbeats(self) -> None:
        raise NotImplementedError

    def post(self, peer: NodeId, message: Message) -> None:
        raise NotImplementedError

    def heard_from(self, peer: NodeId, term: int, answered: int) -> Progress | None:
        raise NotImplementedError

    def advance_commit(self) -> None:
        raise NotImplementedError

    def commit_up_to(self, index: int) -> None:
        raise NotImplementedError

    def send_snapshot(self, peer: NodeId, follower: Progress) -> None:
        raise NotImplementedError

    def take_snapshot(self) -> None:
        raise NotImplementedError

    def reach(self, configuration: Configuration, index: int) -> None:
        raise NotImplementedError

    def revert_configurations(self, last: int) -> None:
        raise NotImplementedError

    def adopt_forced(self, index: int, voters: tuple[NodeId, ...], serial: int) -> None:
        raise NotImplementedError

    def confirm_forced(self) -> None:
        raise NotImplementedError

    def propose(self, client: NodeId, command: Command) -> None:
        raise NotImplementedError

    def configuration_committed(self, index: int) -> None:
        raise NotImplementedError

    def go_on_with_changes(self) -> None:
        raise NotImplementedError

    def go_on_with_transfer(self, peer: NodeId, follower: Progress) -> None:
        raise NotImplementedError

    def begin_early_reads(self) -> None:
        raise NotImplementedError

    def round_answered(self) -> None:
        raise NotImplementedError

    def answer_later_reads(self) -> None:
        raise NotImplementedError

    def read(self, client: NodeId, command: Command) -> None:
        raise NotImplementedError

    def redirect(self, client: NodeId, command: Command, leader: NodeId | None) -> None:
        raise NotImplementedError

    def give_up_waiting(self) -> None:
        raise NotImplementedError


def first_configuration(settings: RaftSettings, servers: int) -> Configuration:
    """Who belongs to the cluster before any entry says so: the first servers vote, the next learn."""
    voters = servers if settings.voters is None else min(settings.voters, servers)
    witnesses = range(voters - settings.witnesses, voters)
    learners = range(voters, min(voters + settings.learners, servers))
    return Configuration(tuple(range(voters)), learners=tuple(learners), witnesses=tuple(witnesses))


def names(entries: tuple[Entry, ...] | list[Entry]) -> tuple[EntryName, ...]:
    """The entries as observers see them."""
    return tuple(
        (entry.term, entry.command.process, entry.command.serial) if entry.command else (entry.term, -1, 0)
        for entry in entries
    )


def without_payload(entry: Entry) -> Entry:
    """What a witness keeps of an entry: its place, and a command's name, but not what it says."""
    command = entry.command
    if type(command) is not Command:
        return entry
    return Entry(entry.term, Command(command.process, command.serial, "none", "", None))
