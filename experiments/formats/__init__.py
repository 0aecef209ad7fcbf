"""Histories from anywhere: `read_history`. To add a format: its file here, and its line in FORMATS.

Each reader gives the operations of a file in chunks, so that the file is never in memory as a whole.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from experiments.checkers.columns import Columns
from experiments.formats import edn_history, jepsen_log, json_events, json_operations
from experiments.formats.building import HistoryBuilder, Rows
from experiments.formats.errors import HistoryError
from experiments.formats.independence import keyed
from experiments.formats.recognition import recognise

__all__ = ["FORMATS", "Foreign", "HistoryError", "read_history"]


class Format(NamedTuple):
    """How a format is read."""

    read: Callable[[BinaryIO, Callable[[HistoryError], None] | None], Iterator[Rows]]
    failed: str  # what a failed compare-and-set says where nobody tells: see `read_history`


FORMATS: dict[str, Format] = {
    "edn": Format(edn_history.read, "dropped"),
    "jepsen-log": Format(jepsen_log.read, "observed"),
    "jsonl-events": Format(json_events.read, "dropped"),
    "jsonl-ops": Format(json_operations.read, "dropped"),
}


class Foreign(NamedTuple):
    """A history that somebody recorded."""

    history: Columns
    format: str
    failed: str
    skipped: list[HistoryError]  # lines left out, with --lenient; the first thousand
    skipped_count: int


SKIPPED_KEPT = 1000


def read_history(
    path: Path,
    *,
    format_name: str | None = None,
    lenient: bool = False,
    failed: str | None = None,
    independent: bool | None = None,
) -> Foreign:
    """Read a file of any format.

    Args:
        format_name: in FORMATS; None: by content.
        lenient: leave out lines and events that can't be read or contradict others, instead of refusing the file.
        failed: "observed": a compare-and-set that failed says that the state was not the one it expected; "dropped":
            it says nothing. None: as is the custom of the format.
        independent: values are [key value]; None: if all look like that and no register could hold them.

    Raises: HistoryError with the line; OSError.
    """
    skipped: list[HistoryError] = []
    count = 0

    def skip(error: HistoryError) -> None:
        nonlocal count
        count += 1
        if len(skipped) < SKIPPED_KEPT:
            skipped.append(error)

    with path.open("rb") as file:
        name = format_name or recognise(file)
        builder = HistoryBuilder()
        for rows in FORMATS[name].read(file, skip if lenient else None):
            builder.add(rows)
    history = builder.finish(failed=failed or FORMATS[name].failed, skip=skip if lenient else None)
    return Foreign(keyed(history, independent), name, failed or FORMATS[name].failed, skipped, count)
