"""Frames: what one host sends to another in one turn of its loop, as one MessagePack value.

A frame is a list of (due ns, source, target, message). Decoding checks every value against the message types of the
run, so that what is malformed, or no message of this run, is refused whole.
"""

from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias

import msgspec

from actors.message import Message, NodeId
from actors.node import Actor

MAX_FRAME_BYTES = 16 * 1024 * 1024
_ENCODE = msgspec.msgpack.Encoder(order="deterministic").encode

Letter: TypeAlias = tuple[int, NodeId, NodeId, Message]
"""(due ns since the start of the run, source, target, message)"""


def size_bytes(message: Message) -> int:
    """How many bytes a message is on the wire, without what a frame adds."""
    return len(_ENCODE(message))


class MalformedFrame(ValueError):
    """Bytes that are no frame of this run."""


class Codec:
    """Frames of the messages that these actors handle, between this many nodes."""

    def __init__(self, kinds: Iterable[type[Actor]], nodes: int) -> None:
        union: Any = None
        for kind in dict.fromkeys(message for actor in kinds for message in actor.handlers):
            union = kind if union is None else union | kind
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        due_ns: Any = Annotated[int, msgspec.Meta(ge=0)]
        node: Any = Annotated[int, msgspec.Meta(ge=0, lt=nodes)]
        self._decode = msgspec.msgpack.Decoder(list[tuple[due_ns, node, node, union]]).decode

    def encode(self, letters: list[Letter]) -> bytes:
        """Letters to a frame."""
        return self._encode(letters)

    def decode(self, frame: bytes | memoryview) -> list[Letter]:
        """A frame to letters. Raises MalformedFrame."""
        try:
            letters: list[Letter] = self._decode(frame)
        except (ValueError, RecursionError) as error:  # msgspec's own errors, and a name that is no UTF-8
            raise MalformedFrame(str(error)) from error
        return letters
