"""Frames: what one host sends to another in one turn of its loop, as one MessagePack value.

A frame is a list of (due ns, source, target, message). Decoding checks every value against the message types of the
run, so that what is malformed, or no message of this run, is refused whole.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from actors.message import Message, NodeId
from actors.node import Actor

MAX_FRAME_BYTES = 16 * 1024 * 1024

Letter: TypeAlias = tuple[int, NodeId, NodeId, Message]
"""(due ns since the start of the run, source, target, message)"""


class MalformedFrame(ValueError):
    """Bytes that are no frame of this run."""


class Codec:
    """Frames of the messages that these actors handle."""

    def __init__(self, kinds: Iterable[type[Actor]]) -> None:
        union: Any = None
        for kind in dict.fromkeys(message for actor in kinds for message in actor.handlers):
            union = kind if union is None else union | kind
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self._decode = msgspec.msgpack.Decoder(list[tuple[int, int, int, union]]).decode

    def encode(self, letters: list[Letter]) -> bytes:
        """Letters to a frame."""
        return self._encode(letters)

    def decode(self, frame: bytes | memoryview) -> list[Letter]:
        """A frame to letters. Raises MalformedFrame."""
        try:
            letters: list[Letter] = self._decode(frame)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MalformedFrame(str(error)) from error
        return letters
