"""What Raft's nodes say to each other and tell observers.

Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (extended version), 2014.

Fields with a default came with version 2 of the messages: a server of version 1 leaves them out and doesn't look at
them, and MessagePack arrays may end early. So both versions read each other.
"""

from actors.client import Command
from actors.message import Event, Message, NodeId
from actors.protocols.raft_settings import RaftSettings
from actors.state.configuration import Configuration
from actors.state.log import Entry, LogId
from actors.state.snapshot import Item

__all__ = ["RaftSettings"]  # where it stood at first


class PreVote(Message, frozen=True):
    """Would this node vote for the sender in this term? Asked before the term is begun (thesis §9.6)."""

    term: int  # the one that would follow
    last_log: LogId


class PreVoted(Message, frozen=True):
    """The answer: in the term asked for if granted, else in the voter's own."""

    term: int
    granted: bool


class RequestVote(Message, frozen=True):
    """A candidate asks for this node's vote (§5.2)."""

    term: int
    last_log: LogId
    transfer: bool = False  # the leader itself asked the sender to take over (thesis §3.10)


class Vote(Message, frozen=True):
    """The answer to a candidate, in the voter's term."""

    term: int
    granted: bool


class AppendEntries(Message, frozen=True):
    """A leader replicates entries behind `previous`, or none as a heartbeat (§5.3)."""

    term: int
    previous: LogId
    entries: tuple[Entry, ...]
    commit: int  # the leader's commit index
    round: int = 0  # of the leader's heartbeats; an answer shows that it still led when it sent this


class Appended(Message, frozen=True):
    """This follower's log is the leader's up to `match`."""

    term: int
    match: int
    round: int = 0


class Rejected(Message, frozen=True):
    """This follower lacks the entry at `previous`; its log may agree up to `hint` (§5.3, last paragraph)."""

    term: int
    previous: int
    hint: int
    round: int = 0


class InstallSnapshot(Message, frozen=True):
    """Some items of a snapshot, for a follower that lacks what was compacted (§7)."""

    term: int
    last: LogId
    configuration: Configuration
    offset: int
    items: tuple[Item, ...]
    total: int  # items in the whole snapshot
    round: int = 0


class SnapshotTaken(Message, frozen=True):
    """This follower has so many items of the snapshot that ends at `last`; go on behind them."""

    term: int
    last: LogId
    taken: int
    round: int = 0


class LogStored(Message, frozen=True):
    """To itself, behind the barrier: what this leader had appended in this term up to here is on its disk.

    The term guards against an entry that was overwritten since: such a message is then of an earlier term.
    """

    term: int
    index: int


class TimeoutNow(Message, frozen=True):
    """The leader asks this follower to begin an election at once (thesis §3.10)."""

    term: int


class ReadIndex(Message, frozen=True):
    """A follower asks its leader up to where it must have applied the log to answer a read (thesis §6.4)."""

    number: int  # the follower's own


class ReadAt(Message, frozen=True):
    """The leader led after ReadIndex came, and had committed up to here."""

    number: int
    index: int


class Forwarded(Message, frozen=True):
    """A follower passes a client's command on to the leader, which answers the client itself."""

    client: NodeId
    command: Command


# from an operator, to any server; one that doesn't lead passes them on


class Reconfigure(Message, frozen=True):
    """Make these the members (thesis, chapter 4)."""

    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...] = ()
    witnesses: tuple[NodeId, ...] = ()
    joint: bool = False  # by joint consensus even where one voter changes
    leave: bool = True  # False: stay joint until LeaveJoint comes


class LeaveJoint(Message, frozen=True):
    """Leave a joint configuration that doesn't do so by itself."""


class TransferLeadership(Message, frozen=True):
    """Hand the lead over to this voter (thesis §3.10)."""

    to: NodeId


class ForceQuorum(Message, frozen=True):
    """UNSAFE: from now on only these servers vote. For a cluster that lost its majority for good.

    Sent to each of them. What only lost servers held is gone, though clients may have been told that it is committed;
    and if a lost server comes back with its old configuration, two leaders may commit.
    """

    nodes: tuple[NodeId, ...]


EntryName = tuple[int, int, int]
"""An entry as observers see it: (term, client process, serial); (term, -1, 0) for a leader's first, empty one."""


class LogChanged(Event, frozen=True):
    """The emitting node's durable log is now its first `after` entries and then these."""

    after: int
    entries: tuple[EntryName, ...]


class Committed(Event, frozen=True):
    """The emitting node, in this term, knows the entries up to this index to be committed."""

    term: int
    index: int


class Compacted(Event, frozen=True):
    """The emitting node's log begins behind this committed entry; what it replaced stands in its snapshot."""

    term: int
    index: int
    installed: bool = False  # the snapshot came from a leader, for this node lacked what was compacted


class MembersChanged(Event, frozen=True):
    """The emitting node uses this configuration from now on: it stands in its log at this place."""

    term: int
    index: int
    before: Configuration  # what it replaces
    configuration: Configuration


class LogRotten(Event, frozen=True):
    """The emitting node found a checksum wrong in the middle of its log: of `had` entries it can read `kept`.

    It may lack what it has acknowledged, so it neither votes nor stands until a leader has brought it up to date.
    """

    kept: int
    had: int


class QuorumForced(Event, frozen=True):
    """The emitting node obeys an operator's ForceQuorum: `term` and `last` say what its log still holds.

    What others had committed beyond that is lost.
    """

    nodes: tuple[NodeId, ...]
    last_term: int
    last_index: int


class ChangeRefused(Event, frozen=True):
    """The emitting leader did not begin a change of members, and why."""

    reason: str
