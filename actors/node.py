"""The node API: all that an actor may ask of the world, and what it must offer.

A protocol is a state machine. A fabric hands it one `Node` and calls its handlers; the calls that a handler makes
are recorded and carried out once it has returned. Nothing here knows where a node runs.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from actors.message import Event, Message, NodeId
from actors.settings import Settings


class Stored(msgspec.Struct):
    """What the disk holds at a start: the facts saved last, the logs, and the last snapshot."""

    facts: dict[str, Any] = {}
    logs: dict[str, list[Any]] = {}
    snapshot: Any = None
    rotten: dict[str, int] = {}  # log -> how many items it had, where a checksum in its middle failed and cut it off


class Node(Protocol):
    """All that a protocol may ask of the world.

    A send or an emitted event leaves only when every save that this node has asked for so far is durable, whichever
    handler asked: a peer never hears of a promise that is not on disk. Timers and random draws don't wait.
    """

    @property
    def id(self) -> NodeId: ...

    @property
    def incarnation(self) -> int:
        """How often this node has started before: 0 at first."""

    @property
    def peers(self) -> Sequence[NodeId]:
        """All servers, this node among them if it is one; one sequence shared by all nodes."""

    @property
    def regions(self) -> Sequence[str]:
        """The region of every node, by id, clients included; shared by all nodes."""

    def now_ns(self) -> int:
        """This node's wall clock in nanoseconds since 1970: it may be off."""

    def monotonic_ns(self) -> int:
        """A clock of this node that never jumps, in nanoseconds from an arbitrary moment."""

    def random(self, name: str) -> random.Random:
        """A stream of draws of its own for (seed, node, name, incarnation): the only source of chance."""

    def send(self, to: NodeId, message: Message) -> None:
        """Send and forget. To itself: delivered behind the barrier, so it says "that is on disk now"."""

    def send_unsaved(self, to: NodeId, message: Message) -> None:
        """Send without waiting for the disk: for what stays true even if this node forgets what it has not saved yet.

        A leader's entries are such a message, its own vote is not.
        """

    def set_timer(self, name: str, after_ns: int) -> None:
        """Call the timer's handler once, `after_ns` from now; replaces one of that name.

        0 means "behind all that has arrived by now": how work is batched.
        """

    def cancel_timer(self, name: str) -> None: ...

    def save(self, **facts: Any) -> None:
        """Make these facts survive a crash. A handler's saves, appends and cuts are one atomic record."""

    def append(self, log: str, items: Sequence[Any]) -> None:
        """Add items to the end of a log on disk."""

    def cut(self, log: str, length: int) -> None:
        """Shorten a log on disk to its first `length` items."""

    def snapshot(self, state: Any, *, log: str, drop: int) -> None:
        """Replace the snapshot on disk, and drop the first `drop` items of a log, which it makes needless."""

    def load(self) -> Stored:
        """What is on disk now; asked once, when the actor starts."""

    def fails(self, point: str) -> bool:
        """Whether a named point of the code is to fail now, as a chaos schedule says; never without one.

        Source: FoundationDB's "buggify": rare cases are made common at the places that their authors point out.
        """

    def emit(self, event: Event) -> None:
        """Tell observers. Costs next to nothing when nobody listens."""


Handler = Callable[[Any, NodeId, Any], None]
TimerHandler = Callable[[Any], None]


class Actor:
    """A node's state machine. A subclass fills the tables and starts itself from `node.load()` in `start`.

    A message or a timer that isn't in its table is a bug, and raises KeyError.
    Volatile state is the attributes named in `volatile`, so that `state` and `restore` are one piece of code.
    """

    settings_type: ClassVar[type[Settings]] = Settings
    handlers: ClassVar[Mapping[type[Message], Handler]] = {}
    timers: ClassVar[Mapping[str, TimerHandler]] = {}
    events: ClassVar[tuple[type[Event], ...]] = ()
    logs: ClassVar[Mapping[str, type]] = {}  # the item type of each log on disk
    beyond_model: ClassVar[tuple[str, ...]] = ("bit_rot", "lost_writes", "misdirected_read", "wipe")
    """Faults that this system does not claim to survive: named mixes spare it these unless a file asks for them."""
    snapshot_type: ClassVar[Any] = None  # the type of a snapshot on disk, if the actor makes any
    volatile: ClassVar[Mapping[str, Any]] = {}  # attribute -> type, in a fixed order

    def __init__(self, node: Node, settings: Settings) -> None:
        self.node = node

    def start(self) -> None:
        """Begin, or begin again after a crash: read the disk, set the first timers."""

    def check(self) -> None:
        """Assert what must always hold of this node's state; run after each handler where asked."""

    def state(self) -> dict[str, Any]:
        """The whole volatile state as plain encodable values, in a fixed order."""
        values = {name: getattr(self, name) for name in self.volatile}
        plain: dict[str, Any] = msgspec.to_builtins(values, order="deterministic", str_keys=False)
        return plain

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `state` gave; its inverse."""
        for name, kind in self.volatile.items():
            setattr(self, name, msgspec.convert(state[name], kind, strict=False))
