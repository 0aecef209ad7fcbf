"""Actors and directors that bear witness to what a fabric does; the conformance suite runs them on every fabric."""

import os
import time
from collections.abc import Callable
from typing import Any, ClassVar

from actors.election import RoleChanged
from actors.message import Event, Message, NodeId
from actors.node import Actor
from actors.settings import MS
from chaos.controller import Controller
from cluster.journal import FaultSkipped, NodeStarted, NodeStopped


class Beat(Message, frozen=True):
    """The n-th word of one incarnation of its sender."""

    incarnation: int
    number: int
    sent_ns: int  # by the sender's clock


class Heard(Event, frozen=True):
    """The emitting node received a beat."""

    sender: NodeId
    incarnation: int
    number: int
    sent_ns: int


class Process(Event, frozen=True):
    """The operating system's number of the process that the emitting node runs in."""

    pid: int


class Fired(Event, frozen=True):
    """A timer fired, this long after it was set last."""

    name: str
    after_ns: int


class Beacon(Actor):
    """Speaks to all other servers every 5 ms and tells what it hears; tries its timers when it starts."""

    def start(self) -> None:
        self.said = 0
        self.set_at_ns: dict[str, int] = {}
        self.node.emit(Process(os.getpid()))
        for name, after_ms in (("once", 50), ("moved", 30), ("moved", 90), ("sooner", 90), ("sooner", 20)):
            self.set(name, after_ms * MS)
        self.set("cancelled", 40 * MS)
        self.node.cancel_timer("cancelled")
        self.set("behind", 0)
        self.on_tick()

    def set(self, name: str, after_ns: int) -> None:
        self.set_at_ns[name] = self.node.monotonic_ns()
        self.node.set_timer(name, after_ns)

    def on_tick(self) -> None:
        self.node.set_timer("tick", 5 * MS)
        self.said += 1
        for peer in self.node.peers:
            if peer != self.node.id:
                self.node.send(peer, Beat(self.node.incarnation, self.said, self.node.monotonic_ns()))

    def on_beat(self, sender: NodeId, beat: Beat) -> None:
        self.node.emit(Heard(sender, beat.incarnation, beat.number, beat.sent_ns))

    def fired(self, name: str) -> None:
        self.node.emit(Fired(name, self.node.monotonic_ns() - self.set_at_ns[name]))

    handlers: ClassVar = {Beat: on_beat}
    timers: ClassVar = {
        "tick": on_tick,
        "once": lambda self: self.fired("once"),
        "moved": lambda self: self.fired("moved"),
        "sooner": lambda self: self.fired("sooner"),
        "cancelled": lambda self: self.fired("cancelled"),
        "behind": lambda self: self.fired("behind"),
    }
    events: ClassVar = (Heard, Process, Fired)


class Saver(Actor):
    """Saves a growing number and then tells its peers of it; on a start it tells what its disk holds."""

    def start(self) -> None:
        self.number = self.node.load().facts.get("number", 0)
        self.node.emit(Process(os.getpid()))
        self.node.emit(Heard(self.node.id, self.node.incarnation, self.number, 0))
        self.on_tick()

    def on_tick(self) -> None:
        self.node.set_timer("tick", 3 * MS)
        self.number += 1
        self.node.save(number=self.number)
        for peer in self.node.peers:
            if peer != self.node.id:
                self.node.send(peer, Beat(self.node.incarnation, self.number, self.node.monotonic_ns()))

    def on_beat(self, sender: NodeId, beat: Beat) -> None:
        self.node.emit(Heard(sender, beat.incarnation, beat.number, beat.sent_ns))

    handlers: ClassVar = {Beat: on_beat}
    timers: ClassVar = {"tick": on_tick}
    events: ClassVar = (Heard, Process)


class Failing(Actor):
    """Raises in a handler after a while: a bug in a protocol."""

    def start(self) -> None:
        self.node.set_timer("fail", 300 * MS)

    def on_fail(self) -> None:
        raise ZeroDivisionError("a bug in a handler")

    timers: ClassVar = {"fail": on_fail}


class Exiting(Actor):
    """Takes its whole process away after a while, as a crash of native code would."""

    def start(self) -> None:
        self.node.set_timer("exit", 300 * MS)

    def on_exit(self) -> None:
        os._exit(77)

    timers: ClassVar = {"exit": on_exit}


class Burner(Actor):
    """Takes 20 ms of its processor for each beat, of which 200 come each second."""

    def on_beat(self, sender: NodeId, beat: Beat) -> None:
        end_s = time.perf_counter() + 0.02
        while time.perf_counter() < end_s:
            pass

    handlers: ClassVar = {Beat: on_beat}


class Echoing(Controller):
    """A controller that answers in the record to the first beat numbered 20 that it is told of."""

    watches = (RoleChanged, NodeStarted, NodeStopped, Heard)
    echoed = False

    def begin(self, control: Any, record: Callable[[Event], None]) -> None:
        super().begin(control, record)
        self.record = record

    def observe(self, node: NodeId, event: Event, time_ns: int = 0) -> None:
        super().observe(node, event, time_ns)
        if not self.echoed and isinstance(event, Heard) and event.number == 20:
            self.echoed = True
            self.record(FaultSkipped("echo", event.sent_ns, f"node {node} heard {event.number}"))


class Stumbling(Controller):
    """A controller that fails half a second into the run."""

    def due_ns(self) -> int | None:
        due_ns = super().due_ns()
        return 500 * MS if due_ns is None else min(due_ns, 500 * MS)

    def advance(self, now_ns: int) -> None:
        if now_ns >= 500 * MS:
            raise ZeroDivisionError("a bug in the controller")
        super().advance(now_ns)
