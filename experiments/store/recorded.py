"""What a run recorded, out of its folder: from Parquet once the run is over, from the hosts' journals before."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cluster.journal import Entry, read_journal
from experiments.plan import Plan
from experiments.recording import Recording, record
from experiments.runner import event_types, models_of, topology_of
from experiments.store import tables
from experiments.store.folder import StoreError, open_run

JOURNALS = "journal"


def load_recording(folder: Path) -> Recording:
    """The recording of a run, over or cut off.

    Raises: StoreError if the folder is no run's, or recorded what this splitbrain doesn't know.
    """
    plan = open_run(folder).plan
    with _explained(folder):
        if tables.written(folder):
            entries, history = tables.read(folder, event_types(plan))
            return _recording(plan, entries, history=history)
        return _recording(plan, _merged(folder, plan))


def seal(folder: Path, plan: Plan) -> Recording:
    """Turn a run's journals into Parquet files. The journals go only once the files are on disk.

    Raises: StoreError if the journals can't be read; they stay.
    """
    with _explained(folder):
        entries = _merged(folder, plan)
        recording = _recording(plan, entries)
    tables.write(folder, recording, entries)
    shutil.rmtree(folder / JOURNALS, ignore_errors=True)
    return recording


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """What a record that can't be read raises, as an error that names its folder."""
    try:
        yield
    except (msgspec.MsgspecError, tables.UnreadableTable, LookupError, TypeError, ValueError) as error:
        raise StoreError(f"the record in {folder} can't be read by this splitbrain: {error}") from error


def _merged(folder: Path, plan: Plan) -> list[Entry]:
    """The entries of all hosts in order of time; those of one moment in the order of the hosts' names."""
    events = event_types(plan)
    entries: list[Entry] = []
    for path in sorted((folder / JOURNALS).glob("*.msgpack")):
        entries.extend(read_journal(path, events))
    entries.sort(key=lambda entry: entry.time_ns)  # stable: what one host wrote at one moment stays in order
    return entries


def _recording(plan: Plan, entries: Iterable[Entry], *, history: tables.History | None = None) -> Recording:
    recording = record(topology_of(plan), plan.duration_ns, plan.warm_up_ns, entries)
    recording = msgspec.structs.replace(recording, models=models_of(plan))
    if history is None:
        return recording
    times = [operation.ended_ns for operation in history if operation.ended_ns is not None]
    times += [operation.invoke_ns for operation in history]
    return msgspec.structs.replace(recording, history=history, end_ns=max([recording.end_ns, *times]))
