"""What a leader knows of one follower, and how much it may send on before the next answer.

Three states, as in etcd's Raft: *probing* (where the logs agree is not known: one message at a time), *replicating*
(the leader sends on without waiting, up to a window), and *taking a snapshot* (what it needs is compacted away).
"""

import msgspec

from actors.state.snapshot import Snapshot


class Progress(msgspec.Struct):
    """One follower's log as its leader knows it."""

    next: int  # the first entry to send
    match: int = 0  # the log is known to agree up to here
    probing: bool = False  # one message at a time, until the follower agrees somewhere
    snapshot: Snapshot | None = None  # being sent; its entries' place is taken by chunks
    taken: int = 0  # items of the snapshot that the follower has
    flights: list[tuple[int, int]] = []  # messages on their way: (last entry, bytes), in order
    bytes_in_flight: int = 0
    active: bool = True  # it has answered since the leader last looked (CheckQuorum)
    round: int = 0  # the last round of heartbeats that it answered

    def sent(self, last: int, size_bytes: int) -> None:
        """A message with the entries from `next` to `last` is on its way."""
        if last >= self.next:
            self.next = last + 1
            self.flights.append((last, size_bytes))
            self.bytes_in_flight += size_bytes

    def is_full(self, most: int, most_bytes: int | None) -> bool:
        """Whether the window is shut: as many messages, or bytes, are on their way as may be."""
        return len(self.flights) >= most or (most_bytes is not None and self.bytes_in_flight >= most_bytes)

    def agree(self, match: int) -> bool:
        """The follower holds the leader's log up to `match`. Matches only grow; returns whether this one did."""
        self.probing = False
        flights = self.flights
        while flights and flights[0][0] <= match:
            self.bytes_in_flight -= flights.pop(0)[1]
        if self.snapshot is not None and match >= self.snapshot.last.index:
            self.snapshot = None
        grew = match > self.match
        if grew:
            self.match = match
        if self.next <= self.match:
            self.next = self.match + 1
        return grew

    def refuse(self, previous: int, hint: int) -> bool:
        """The follower lacks the entry at `previous`: go back to where it may agree, and probe from there.

        Returns: False for an answer to an earlier message, overtaken by what is known since.
        """
        if previous <= self.match or (self.probing and previous != self.next - 1):
            return False
        self.probe(max(self.match, min(hint, previous - 1)) + 1)
        return True

    def probe(self, following: int) -> None:
        """Send one message at a time from here on; what was on its way is forgotten."""
        self.probing = True
        self.next = following
        self.flights.clear()
        self.bytes_in_flight = 0

    def begin_snapshot(self, snapshot: Snapshot) -> None:
        """The follower must take this snapshot first; then it goes on behind it."""
        self.probe(snapshot.last.index + 1)
        self.snapshot = snapshot
        self.taken = 0
