"""Runs on any fabric, as tests look at them: what came back, what was journalled, which processes live."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cluster.fabric import FabricResult, Setup
from cluster.journal import Entry, read_journal


class Ended(NamedTuple):
    """A run that is over."""

    result: FabricResult
    entries: list[Entry]  # of all hosts, in order of time
    folder: Path

    def of(self, kind: type, node: int | None = None) -> list[Any]:
        """The entries of one kind, of one node if one is given."""
        return [e for e in self.entries if isinstance(e.item, kind) and node in (None, e.node)]


RunOn = Callable[..., Ended]


def entries_of(setup: Setup, folder: Path) -> list[Entry]:
    """All that a run has journalled, in order of time."""
    events = tuple(dict.fromkeys(event for spec in setup.actors for event in spec.kind.events))
    journals = sorted((folder / "journal").glob("*.msgpack"))
    entries = [entry for journal in journals for entry in read_journal(journal, events)]
    return sorted(entries, key=lambda entry: entry.time_ns)


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
