"""A system that shows what is done to it: it says numbers, hears them, saves them, reads its clocks, answers clients.

Each handler emits one event, so that the events of a node are also the count of what it handled.
"""

from typing import ClassVar

from actors.client import Command, Reply, Request
from actors.message import Event, Message, NodeId
from actors.node import Actor, Node
from actors.settings import MS, Settings

WITNESS: NodeId = 0  # is hit by no fault, and talks to all the others
PADDING = "-" * 200  # so that a message has a size that bandwidth can tell
SAY_EVERY_NS = 20 * MS
ANSWER_AFTER_NS = 200 * MS


class Say(Message, frozen=True):
    """The n-th message on this link."""

    number: int
    said_ns: int
    padding: str = PADDING


class Heard(Event, frozen=True):
    """The emitting node heard this number."""

    sender: NodeId
    number: int
    said_ns: int


class Said(Event, frozen=True):
    """The emitting node said this number, or skipped it because a point of its code failed, and read its clocks."""

    number: int
    skipped: bool
    wall_ns: int
    monotonic_ns: int


class Saved(Event, frozen=True):
    """This number is durable, which was asked for at this time of the true clock as far as the node knew it."""

    number: int
    asked_ns: int


class Loaded(Event, frozen=True):
    """What the disk held at a start: the last number, how long the log was, how many of its items were misplaced."""

    number: int
    items: int
    misplaced: int


class Prober(Actor):
    """One node. The witness talks to all, everybody else to the witness."""

    logs: ClassVar = {"numbers": int}
    volatile: ClassVar = {"said": int, "saved": int, "waiting": list[tuple[int, NodeId, Command]]}

    def __init__(self, node: Node, settings: Settings) -> None:
        super().__init__(node, settings)
        self.said = self.saved = 0
        self.waiting: list[tuple[int, NodeId, Command]] = []  # (when to answer, whom, what)

    def start(self) -> None:
        """Read the disk, then begin to say and to save."""
        disk = self.node.load()
        items = disk.logs.get("numbers", [])
        self.saved = disk.facts.get("number", 0)
        misplaced = sum(item != place for place, item in enumerate(items, start=1))
        self.node.emit(Loaded(self.saved, len(items), misplaced))
        self.node.cut("numbers", 0)
        self.node.append("numbers", range(1, 2 * self.saved + 1))
        self.on_say()
        self.on_save()

    def on_say(self) -> None:
        """The next number, to the witness or from it."""
        self.node.set_timer("say", SAY_EVERY_NS)
        self.said += 1
        now_ns, skipped = self.node.monotonic_ns(), self.node.fails("prober.say")
        for peer in self.node.peers if self.node.id == WITNESS else (WITNESS,):
            if peer != self.node.id and not skipped:
                self.node.send(peer, Say(self.said, now_ns))
        self.node.emit(Said(self.said, skipped, self.node.now_ns(), now_ns))

    def on_save(self) -> None:
        """The next number onto the disk: as a fact, and as two more items of a log."""
        self.node.set_timer("save", SAY_EVERY_NS)
        self.saved += 1
        self.node.save(number=self.saved)
        self.node.append("numbers", [2 * self.saved - 1, 2 * self.saved])
        self.node.emit(Saved(self.saved, self.node.monotonic_ns()))

    def on_hear(self, sender: NodeId, message: Say) -> None:
        self.node.emit(Heard(sender, message.number, message.said_ns))

    def on_request(self, client: NodeId, request: Request) -> None:
        """Answer after a while, so that operations are open for a time."""
        if not self.waiting:
            self.node.set_timer("answer", ANSWER_AFTER_NS)
        self.waiting.append((self.node.monotonic_ns() + ANSWER_AFTER_NS, client, request.command))

    def on_answer(self) -> None:
        while self.waiting and self.waiting[0][0] <= self.node.monotonic_ns():
            _, client, command = self.waiting.pop(0)
            self.node.send(client, Reply(command.process, command.serial, None, None))
        if self.waiting:
            self.node.set_timer("answer", self.waiting[0][0] - self.node.monotonic_ns())

    handlers: ClassVar = {Say: on_hear, Request: on_request}
    timers: ClassVar = {"say": on_say, "save": on_save, "answer": on_answer}
    events: ClassVar = (Heard, Said, Saved, Loaded)
