"""A server's CPU as a model: a serial server that takes a time a message and a time a byte, first come, first served.

What arrives while it works waits in the node's mailbox, timers too (they cost nothing themselves). So a leader, a hot
shard or a database saturates as queueing theory says. Client nodes have no such limit: one stands for many machines.
"""

from typing import Any

import msgspec

_encode = msgspec.msgpack.Encoder().encode


class CpuModel(msgspec.Struct, frozen=True, kw_only=True):
    """What handling a message costs."""

    message_ns: int
    byte_ns: int = 0  # of the message's encoded size

    def service_ns(self, message: Any) -> int:
        """How long the CPU works on a message."""
        return self.message_ns + (self.byte_ns * size_bytes(message) if self.byte_ns else 0)


def size_bytes(value: Any) -> int:
    """How large a message or a record is on the wire or on disk."""
    return len(_encode(value))
