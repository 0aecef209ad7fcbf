"""Clients that carry causal contexts: what a process was given with a key's siblings goes along with its next write.

A write's value in the history is (value, what its process had seen of the key...), so that checkers know what it was
meant to take the place of without knowing any protocol. A process that ends with an unknown outcome loses its session,
as a client does that restarts.
"""

from typing import ClassVar

import msgspec

from actors.client import Client, ClientSettings, Command, Slot
from actors.message import Message, NodeId, Value
from actors.node import Node
from actors.protocols.dynamo_messages import Answer, Get, Put, Scan
from actors.settings import DurationNs
from actors.state.consistency import Named
from actors.workload import Call, Workload

READS = ("read", "get")
WRITES = ("write", "put", "delete")


class Seen(msgspec.Struct, frozen=True):
    """What a process has of a key: the context it was given last, and the values that this stands for."""

    context: bytes
    values: tuple[Value, ...]


UNSEEN = Seen(b"", ())


class ContextWorkload(Workload, frozen=True):
    """A workload for stores with contexts. Its last stretch, `settle`, is reads only: all keys in turn."""

    r: int | Named | None = None  # in place of the system's
    w: int | Named | None = None
    settle_ns: DurationNs = 0

    def settled_call(self, number: int) -> Call:
        """The read number `number` of the settling stretch."""
        raise NotImplementedError


class ContextClient(Client):
    """A pool of processes, each with a session of its own. Any server serves it."""

    functions: ClassVar = (*READS, *WRITES, "scan")
    volatile: ClassVar = {**Client.volatile, "sessions": dict[int, dict[str, Seen]], "settled": int}

    def __init__(self, node: Node, settings: ClientSettings) -> None:
        super().__init__(node, settings)
        self.sessions: dict[int, dict[str, Seen]] = {}
        self.settled = 0

    def next_call(self, slot: Slot) -> Call:
        """See `Client.next_call`; a write also tells what its process has seen of the key."""
        workload = self.settings.workload
        if isinstance(workload, ContextWorkload) and self.node.monotonic_ns() >= self.stop_ns - workload.settle_ns:
            self.settled += 1
            return workload.settled_call(self.settled + self.settings.pool)
        call = super().next_call(slot)
        if call.function in ("put", "delete"):
            seen = self.seen_by(slot.process, call.key)
            return Call(call.function, call.key, (call.value, *seen.values))  # type: ignore[arg-type]
        return call

    def seen_by(self, process: int, key: str) -> Seen:
        return self.sessions.get(process, {}).get(key, UNSEEN)

    def ask(self, slot: Slot, target: NodeId) -> None:
        """Send the open operation to a server, with the context of its process."""
        assert slot.open is not None
        slot.target = target
        self.node.send(target, self.message_for(slot.open))

    def message_for(self, command: Command) -> Message:
        """The command in the store's terms."""
        process, serial, key = command.process, command.serial, command.key
        workload = self.settings.workload
        r, w = (workload.r, workload.w) if isinstance(workload, ContextWorkload) else (None, None)
        if command.function in READS:
            return Get(process, serial, key, r)
        if command.function == "scan":
            assert isinstance(command.value, str)
            return Scan(process, serial, key, command.value)
        if command.function not in WRITES:
            raise ValueError(f"a store with contexts has no function {command.function!r}")
        value = command.value
        if command.function != "write":
            assert isinstance(value, tuple)
            value = value[0]
        context = self.seen_by(process, key).context
        return Put(process, serial, key, value, command.function == "delete", context, w)

    def on_answer(self, server: NodeId, answer: Answer) -> None:
        """The operation is over; the context that came with it is the process's from now on."""
        slot = self.slot_of(answer.process, answer.serial)
        if slot is None:
            return
        assert slot.open is not None
        command = slot.open
        if answer.error is not None:
            self.end(slot, answer.error, None)
            if answer.process != slot.process:
                self.sessions.pop(answer.process, None)
            return
        if command.function in (*READS, *WRITES):
            values = answer.siblings if command.function in READS else self.written(command)
            self.sessions.setdefault(answer.process, {})[command.key] = Seen(answer.context, values)
        self.end(slot, None, self.result(command, answer))

    def written(self, command: Command) -> tuple[Value, ...]:
        """What a process has seen of a key once its write is acknowledged: that write, which covers the rest."""
        if command.function == "write":
            return (command.value,)
        assert isinstance(command.value, tuple)
        return command.value[:1] if command.function == "put" else ()

    def result(self, command: Command, answer: Answer) -> Value:
        """What the history tells: all siblings of a get, the greatest of a read, else what was written."""
        if command.function in ("get", "scan"):
            return answer.siblings  # type: ignore[return-value]
        if command.function == "read":
            return max(answer.siblings, key=msgspec.msgpack.encode, default=None)
        return command.value

    def on_deadline(self) -> None:
        """See `Client.on_deadline`; a process that gave up has no session any more."""
        super().on_deadline()
        present = {slot.process for slot in self.slots}
        for process in [process for process in self.sessions if process not in present]:
            del self.sessions[process]

    handlers: ClassVar = {Answer: on_answer}
    timers: ClassVar = {**Client.timers, "deadline": on_deadline}
