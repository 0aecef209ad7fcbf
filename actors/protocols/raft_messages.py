"""What Raft's nodes say to each other, tell observers and keep on disk, and what a file may set.

Source: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (extended version), 2014.
"""

from actors.message import Event, Message
from actors.settings import MS, DurationNs, DurationRangeNs, MutantName, Settings
from actors.state.log import Entry, LogId


class RequestVote(Message, frozen=True):
    """A candidate asks for this node's vote (§5.2)."""

    term: int
    last_log: LogId


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


class Appended(Message, frozen=True):
    """This follower's log is the leader's up to `match`."""

    term: int
    match: int


class Rejected(Message, frozen=True):
    """This follower lacks the entry at `previous`; its log may agree up to `hint` (§5.3, last paragraph)."""

    term: int
    previous: int
    hint: int


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


class RaftSettings(Settings, frozen=True):
    """Raft's time-outs. An election time-out should lie well above the round trip to most of the nodes."""

    election_timeout_ns: DurationRangeNs = (150 * MS, 300 * MS)  # the paper's (§9.3); drawn anew each time
    heartbeat_ns: DurationNs | None = None  # a third of the least election time-out if not said
    batch: int = 128  # entries in one message at most
    mutant: MutantName | None = None

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        least, most = self.election_timeout_ns
        found = []
        if least <= 0:
            found.append(("election_timeout_ns", "an election time-out must be above 0"))
        if least > most:
            found.append(("election_timeout_ns", "the range ends before it begins; write the smaller time first"))
        if self.heartbeat_ns is not None and not 0 < self.heartbeat_ns < least:
            found.append(("heartbeat_ns", "a heartbeat must lie between 0 and the least election time-out"))
        if self.batch < 1:
            found.append(("batch", "a message must hold at least 1 entry"))
        return found

    @property
    def heartbeat_every_ns(self) -> int:
        return self.heartbeat_ns or self.election_timeout_ns[0] // 3
