"""A host's way to the conductor: the events that it is to know of, and the journal if it can't read that by itself."""

from struct import Struct
from typing import TypeAlias

import msgspec

from actors.history import Invoke, Return
from actors.message import Event, NodeId
from cluster.journal import Traffic
from cluster.live.host_plan import HostPlan
from cluster.live.socket import Outbox

LINGER_MS = 5000
TELL_LATER_EVERY_NS = 100_000_000
ONLY_COUNTED = frozenset((Invoke, Return, Traffic))
"""Events that are but counted while a run goes on: unless watched, the conductor hears of them ten times a second."""
COPY_HEADER = Struct("<IIB")
"""Stands before each frame: the host's number, its process's, and whether a piece of journal follows, or events."""

Watched: TypeAlias = frozenset[type[Event]] | None
"""What the conductor's director acts on, and is to be told of at once; None: everything."""


class Observer:
    """Gathers what a host has to tell during a turn, and tells it at the turn's end."""

    def __init__(self, plan: HostPlan, watched: Watched, *, far: bool) -> None:
        self.journal_bytes = 0  # that were sent
        self._watched = watched
        self._far = far  # the conductor can't read this host's journal
        self._outbox: Outbox | None = None
        self._at_once: list[tuple[int, NodeId, Event]] = []
        self._later: list[tuple[int, NodeId, Event]] = []
        self._later_ns = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._events_header = COPY_HEADER.pack(plan.number, plan.life, False)
        self._journal_header = COPY_HEADER.pack(plan.number, plan.life, True)

    def connect(self, outbox: Outbox) -> None:
        """Learn where the conductor is."""
        self._outbox = outbox

    @property
    def connected(self) -> bool:
        return self._outbox is not None

    def note(self, time_ns: int, node: NodeId, event: Event) -> None:
        """Take in an event that was journalled. `time_ns`: the host's raw clock."""
        kind = type(event)
        if self._watched is None:
            self._at_once.append((time_ns, node, event))
        elif kind in ONLY_COUNTED:
            self._later.append((time_ns, node, event))
        elif kind in self._watched:
            self._at_once.append((time_ns, node, event))

    def due_ns(self) -> int | None:
        """When what may wait is to be told."""
        return self._later_ns if self._later else None

    def tell(self, now_ns: int) -> None:
        """Send what is to be known at once, with all that has gathered; or what has waited long enough."""
        if not self._at_once and (not self._later or now_ns < self._later_ns):
            return
        if self._outbox is not None:
            events = sorted((*self._at_once, *self._later), key=_time_of)
            self._outbox.send(self._events_header + self._encode(events))
        self._at_once.clear()
        self._later.clear()
        self._later_ns = now_ns + TELL_LATER_EVERY_NS

    def copy_journal(self, data: bytes) -> None:
        """Send what was journalled, byte for byte, if the conductor can't read it here."""
        if self._far and data and self._outbox is not None:
            self._outbox.send(self._journal_header + data)
            self.journal_bytes += len(data)

    def close(self) -> None:
        if self._outbox is not None:
            self._outbox.close(LINGER_MS)


def _time_of(told: tuple[int, NodeId, Event]) -> int:
    return told[0]
