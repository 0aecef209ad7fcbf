"""What the nodes of a Dynamo-style store say to each other, and what they tell observers."""

from typing import Literal, TypeAlias

import msgspec

from actors.clocks import Clock
from actors.message import Event, Message, NodeId, Value

Copy: TypeAlias = tuple[str, Clock]
"""A key and what a replica holds of it."""

# clients


class Get(Message, frozen=True):
    """A client asks for all siblings of a key."""

    process: int
    serial: int
    key: str
    level: int | str | None = None  # None: the system's r


class Put(Message, frozen=True):
    """A client writes a key, over what its context has seen."""

    process: int
    serial: int
    key: str
    value: Value
    delete: bool
    context: bytes  # opaque; empty: it has seen nothing
    level: int | str | None = None


class Answer(Message, frozen=True):
    """The outcome: of a get the siblings, of both the context to bring along next time."""

    process: int
    serial: int
    error: str | None
    siblings: tuple[Value, ...] = ()
    context: bytes = b""


class Scan(Message, frozen=True):
    """A client asks how many live keys there are from `first` up to, not including, `last`."""

    process: int
    serial: int
    first: str
    last: str


class Forwarded(Message, frozen=True):
    """A put that came to a server which isn't one of the key's."""

    client: NodeId
    put: Put


# replicas


class ReadReplica(Message, frozen=True):
    """What do you hold of this key?"""

    op: int
    key: str
    digest: bool


class ReplicaRead(Message, frozen=True):
    """This: the clock, or only its fingerprint."""

    op: int
    fingerprint: int
    clock: Clock | None


class WriteReplica(Message, frozen=True):
    """Merge this into what you hold; `stands_for` is the owner that is down, if it isn't the receiver's own."""

    op: int  # 0: nobody waits for an answer
    key: str
    clock: Clock
    stands_for: NodeId | None = None
    repair: bool = False  # a reader found the receiver behind


class ReplicaWrote(Message, frozen=True):
    """It is merged, and durable."""

    op: int
    stands_for: NodeId | None = None


class CountKeys(Message, frozen=True):
    """How many live keys of these partitions lie between?"""

    op: int
    partitions: tuple[int, ...]
    first: str
    last: str


class KeysCounted(Message, frozen=True):
    op: int
    count: int


# background work


class Handoff(Message, frozen=True):
    """Writes that were meant for the receiver while it was down."""

    copies: tuple[Copy, ...]


class HandedOff(Message, frozen=True):
    """They are merged: these keys, with these fingerprints, need no hint any more."""

    keys: tuple[tuple[str, int], ...]


class Compare(Message, frozen=True):
    """The hashes of some tree nodes of a partition, one level below `level`."""

    partition: int
    level: int
    nodes: tuple[int, ...]  # of `level`: whose children these are
    hashes: tuple[tuple[int, int], ...]


class CompareRoots(Message, frozen=True):
    """The roots of all partitions that both keep."""

    roots: tuple[tuple[int, int], ...]


class CompareKeys(Message, frozen=True):
    """All keys of these leaves with their fingerprints (leaf -1: of the whole partition)."""

    partition: int
    leaves: tuple[int, ...]
    keys: tuple[tuple[str, int], ...]


class Repair(Message, frozen=True):
    """Copies that the receiver lacks, or holds otherwise."""

    copies: tuple[Copy, ...]
    wanted: tuple[str, ...] = ()  # keys whose copies the receiver shall send


class AskForgotten(Message, frozen=True):
    """Do you hold exactly this of the key, nothing but tombstones?"""

    key: str
    fingerprint: int


class SameHeld(Message, frozen=True):
    """Yes."""

    key: str
    fingerprint: int


class Forget(Message, frozen=True):
    """All replicas hold exactly this, nothing but tombstones: forget the key."""

    key: str
    fingerprint: int


class Fetch(Message, frozen=True):
    """Send a partition's copies behind this key, in order."""

    partition: int
    after: str


class Fetched(Message, frozen=True):
    """A batch of a partition; `last` if nothing follows."""

    partition: int
    copies: tuple[Copy, ...]
    last: bool


class Moved(Message, frozen=True):
    """The sender holds all partitions that it gains by the change to these members."""

    change: int  # a fingerprint of the members


# events


class Held(Event, frozen=True):
    """What the emitting replica holds of a key from now on; fingerprint 0: nothing any more."""

    key: str
    fingerprint: int
    siblings: int  # tombstones left out
    entries: int  # of the clock
    clock_bytes: int  # encoded, without the values


class TooManySiblings(Event, frozen=True):
    """A key has more siblings than is healthy; `refused` if a write was turned away."""

    key: str
    siblings: int
    refused: bool


class Hinted(Event, frozen=True):
    """The emitting node keeps a write for an owner that is down, or has handed some over."""

    owner: NodeId
    keys: int  # kept if above 0, handed over if below


Work: TypeAlias = Literal["read-repair", "anti-entropy", "transfer", "handoff"]


class Background(Event, frozen=True):
    """Background work sent this."""

    work: Work
    keys: int
    bytes: int  # encoded


class Collected(Event, frozen=True):
    """The emitting replica forgot a key that was deleted."""

    key: str


class Owned(Event, frozen=True):
    """The emitting node has taken up a ring in which it owns this many partitions."""

    members: int
    partitions: int


class Configured(Event, frozen=True):
    """Once, by the first node: what the store promises."""

    n: int
    r: int
    w: int
    strict: bool


class Trips(Event, frozen=True):
    """The round trips of one operation from the emitting coordinator to its replicas, fastest first."""

    write: bool
    trips_ns: tuple[tuple[NodeId, int], ...]


class Record(msgspec.Struct, frozen=True):
    """What a replica keeps of a key."""

    clock: Clock
    epoch: int = 0  # under which it makes this key's events; 0: it has made none since it last had nothing
