"""Lines of a file, many at a time and never more than a few megabytes in memory."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from experiments.formats.errors import HistoryError

CHUNK_BYTES = 1 << 22
LINE_BYTES = 1 << 24
"""The longest line: 16 MiB."""


class Chunk(NamedTuple):
    """Whole lines, and the number of the first, from 1."""

    data: bytes
    line: int


def chunks(file: BinaryIO, skip: Callable[[HistoryError], None] | None = None) -> Iterator[Chunk]:
    """The file in chunks of whole lines.

    Args:
        skip: told of a line that is too long, which is then left out; without it that is an error.

    Raises: HistoryError if a line is longer than LINE_BYTES.
    """
    rest, line, inside = b"", 1, False  # inside: of a line that is being left out
    first = True
    while True:
        read = file.read(CHUNK_BYTES)
        if first:
            read, first = read.removeprefix(b"\xef\xbb\xbf"), False
        if inside:
            cut = read.find(b"\n") + 1
            if not cut and read:
                continue
            read, inside = read[cut:], False
            line += 1
        rest += read
        end = rest.rfind(b"\n") + 1 if read else len(rest)
        if end:
            yield Chunk(rest[:end], line)
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]
        if len(rest) > LINE_BYTES:
            error = HistoryError(f"a line of more than {LINE_BYTES >> 20} MiB; is it one operation a line?", line=line)
            if skip is None:
                raise error
            skip(error)
            rest, inside = b"", True
        if not read and not inside:
            return


def numbered(chunk: Chunk) -> Iterator[tuple[int, bytes]]:
    """The lines of a chunk that are not blank, with their numbers."""
    for number, text in enumerate(chunk.data.split(b"\n"), chunk.line):
        text = text.strip()
        if text:
            yield number, text
