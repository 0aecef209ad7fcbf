"""Which format a file has, by its content."""

import re
from typing import BinaryIO

from experiments.formats.errors import HistoryError
from experiments.formats.jepsen_log import EVENT

SEEN_BYTES = 1 << 16
JSON_OBJECT = re.compile(rb'^\s*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})')
CALL = re.compile(rb'"call"\s*:')
EDN_START = re.compile(rb"^(?:[\s,]|;[^\n]*\n)*(?:\(|\[|\{|#)")


def recognise(file: BinaryIO) -> str:
    """The name in FORMATS that the content fits; the file stands at its start afterwards.

    Raises: HistoryError if none does.
    """
    seen = file.read(SEEN_BYTES).removeprefix(b"\xef\xbb\xbf")
    file.seek(0)
    if not seen.strip():
        raise HistoryError("the file is empty")
    lines = [line for line in seen.split(b"\n") if line.strip()]
    first = lines[0]
    if JSON_OBJECT.match(first):
        has_call = any(CALL.search(line) for line in lines[:20])
        return "jsonl-ops" if has_call else "jsonl-events"
    if re.match(rb'^\s*\[\s*\{\s*"[^"]*"\s*:', seen):
        raise HistoryError("a JSON array; write one object a line (JSON Lines)")
    if EDN_START.match(seen):
        return "edn"
    if any(EVENT.match(line.strip()) for line in lines[:1000]):
        return "jepsen-log"
    raise HistoryError("not recognised as JSON Lines, EDN or a Jepsen log; name it with --format if it is one of these")
