"""What a file may set of a Raft. The defaults are the paper's plain algorithm; each addition has its setting."""

from typing import Literal

from actors.settings import MS, DurationNs, DurationRangeNs, MutantName, Settings, Share, Target

Reads = Literal["log", "read-index", "lease", "follower", "stale"]

LATEST_VERSION = 2


class RaftSettings(Settings, frozen=True):
    """Raft's time-outs and parts. An election time-out should lie well above the round trip to most of the nodes."""

    election_timeout_ns: DurationRangeNs = (150 * MS, 300 * MS)  # the paper's (§9.3); drawn anew each time
    heartbeat_ns: DurationNs | None = None  # a third of the least election time-out if not said
    pre_vote: bool = False  # ask whether an election could be won before beginning one
    check_quorum: bool = False  # a leader that hears no quorum for an election time-out steps down
    preferred: Target | None = None  # nodes or regions whose servers should lead: the others wait one time-out more

    reads: Reads = "log"  # how a read is answered
    clock_drift: Share = 0.01  # lease: by how much a clock may run too fast or too slow, at most
    staleness_ns: DurationNs | None = None  # stale: only if the leader was heard within this time

    batch: int = 128  # entries in one message at most
    in_flight: int = 1024  # messages with entries on their way to a follower, at most
    in_flight_kb: int | None = None  # the same in kB
    uncommitted_kb: int | None = None  # more than this not yet committed: clients are told that the leader is busy
    parallel_write: bool = False  # the leader sends entries while it writes them itself
    forward: bool = False  # a follower forwards commands to the leader, in place of telling the client who leads

    snapshot_every: int | None = None  # entries after which the log is compacted; None: never
    trailing: int = 64  # entries that stay in the log behind a snapshot, for followers a little behind
    chunk: int = 128  # items of a snapshot in one message
    session_entries: int | None = None  # a session that so many entries didn't use expires; None: never

    voters: int | None = None  # the first so many servers vote at the beginning; None: all
    learners: int = 0  # so many that follow them are learners; the rest aren't members yet
    witnesses: int = 0  # the last so many of the voters are witnesses
    promote_lag: int = 32  # a new voter counts once it lacks at most so many entries

    upgrade: bool = False  # servers speak version 1 of the messages until they are restarted
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
        for field in ("in_flight", "chunk", "snapshot_every", "session_entries", "voters", "in_flight_kb"):
            value = getattr(self, field)
            if value is not None and value < 1:
                found.append((field, "it must be at least 1"))
        for field in ("trailing", "learners", "witnesses", "promote_lag"):
            if getattr(self, field) < 0:
                found.append((field, "it can't be below 0"))
        if not 0 <= self.clock_drift < 0.5:
            found.append(("clock_drift", "a bound on drift lies between 0% and 50%"))
        if self.voters is not None and self.witnesses >= self.voters:
            found.append(("witnesses", "a witness stores nothing; at least one voter must be none"))
        return found

    @property
    def heartbeat_every_ns(self) -> int:
        return self.heartbeat_ns or self.election_timeout_ns[0] // 3

    @property
    def is_sticky(self) -> bool:
        """Whether a server that hears a leader refuses its vote (thesis §4.2.3); leases stand on it."""
        return self.pre_vote or self.check_quorum or self.reads == "lease"

    @property
    def counts_rounds(self) -> bool:
        """Whether a leader must know which of its heartbeats were answered."""
        return self.reads in ("read-index", "lease", "follower")

    @property
    def lease_ns(self) -> int:
        """How long a round of heartbeats, once answered, keeps every other leader away, by this leader's clock.

        A follower refuses its vote for the least election time-out by its own clock, which may run too fast while
        this one runs too slow.
        """
        return int(self.election_timeout_ns[0] * (1 - self.clock_drift) / (1 + self.clock_drift))
