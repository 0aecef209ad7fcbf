"""A run's folder from its creation to its summary, and the state that a folder is in."""

import fcntl
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Literal

import msgspec

from experiments import plan as plans
from experiments.plan import Plan
from experiments.store import origin as origins
from experiments.store.origin import Origin
from experiments.store.summary import FORMAT, Summary

State = Literal["running", "complete", "cut off", "failed", "interrupted"]

PLAN, LOCK, SUMMARY, VERDICTS, EXPERIMENT = "plan.json", "lock", "summary.json", "verdicts.json", "experiment.yaml"
NAME_LENGTH = 60  # of the experiment's part of a folder's name


class StoreError(Exception):
    """A run, a group or a folder isn't there, can't be read or can't be written. Says which, and what there is."""


class _PlanFile(msgspec.Struct, frozen=True):
    """What stands in `plan.json` besides the plan's own fields."""

    origin: Origin


class OpenRun:
    """The folder of a run that goes on; its lock is held until it is left, or this process dies."""

    def __init__(self, path: Path, origin: Origin, lock: int) -> None:
        self.path = path
        self.origin = origin
        self._lock = lock

    def finish(self, summary: Summary) -> None:
        """Write how the run ended, and `summary.json` last: from then on the run is over."""
        write_atomically(self.path / VERDICTS, _json(summary.verdicts))
        write_atomically(self.path / SUMMARY, _json(summary))

    def __enter__(self) -> "OpenRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        os.close(self._lock)


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as its folder tells it."""

    path: Path
    plan: Plan
    origin: Origin
    state: State
    summary: Summary | None  # None: running, or cut off


def create(store: Path, plan: Plan, *, group: str, source: bytes | None = None) -> OpenRun:
    """Make a run's folder in the store and hold its lock. The folder appears whole or not at all.

    Args:
        group: what the runs of one command have in common.
        source: the experiment file as it was given, if there is one.

    Raises: StoreError if the store can't be written to.
    """
    run, created_ns = secrets.token_hex(4), time.time_ns()
    origin = Origin(
        run=run,
        group=group,
        created_ns=created_ns,
        versions=origins.versions(),
        machine=origins.machine(),
        commit=origins.commit(),
    )
    when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(created_ns // 1_000_000_000))
    path = store.absolute() / f"{when}-{_slug(plan.experiment)}-{run}"
    hidden = path.with_name(f".{path.name}")
    try:
        store.mkdir(parents=True, exist_ok=True)
        hidden.mkdir()
        lock = _fill(hidden, plan, origin, source)
        hidden.rename(path)
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        raise StoreError(f"no run folder can be made in {store}: {error.strerror or error}") from error
    return OpenRun(path, origin, lock)


def _fill(folder: Path, plan: Plan, origin: Origin, source: bytes | None) -> int:
    """Write what a run folder begins with. Returns the descriptor that holds its lock."""
    plain = msgspec.to_builtins(plan) | {"origin": origin}
    write_atomically(folder / PLAN, _json(plain))
    if source is not None:
        write_atomically(folder / EXPERIMENT, source)
    lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def open_run(path: Path) -> StoredRun:
    """Read a run's folder. Raises StoreError if it is none, or can't be read."""
    path = path.absolute()
    try:
        data = (path / PLAN).read_bytes()
        plan = plans.decode(data)
        origin = msgspec.json.decode(data, type=_PlanFile).origin
        state, summary = _state(path)
    except OSError as error:
        raise StoreError(f"{path} is no run folder: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} is no run folder that this splitbrain can read: {error}") from error
    return StoredRun(path=path, plan=plan, origin=origin, state=state, summary=summary)


def runs(store: Path) -> list[StoredRun]:
    """All runs of a store that can be read, the oldest first."""
    found = []
    for path in folders(store):
        try:
            found.append(open_run(path))
        except StoreError:
            continue
    return sorted(found, key=lambda run: (run.origin.created_ns, run.path.name))


def unreadable(store: Path) -> list[str]:
    """Why each folder of the store that looks like a run can't be read."""
    reasons = []
    for path in folders(store):
        try:
            open_run(path)
        except StoreError as error:
            reasons.append(str(error))
    return reasons


def folders(store: Path) -> list[Path]:
    """The run folders of a store, by name; none if there is no such store."""
    try:
        return sorted(plan.parent for plan in store.glob(f"[!.]*/{PLAN}"))
    except OSError as error:
        raise StoreError(f"the store {store} can't be read: {error.strerror or error}") from error


def _state(path: Path) -> tuple[State, Summary | None]:
    """A folder's state. The summary is looked for again behind the lock, which is let go after it was written."""
    summary = _summary(path)
    if summary is None and _locked(path / LOCK):
        return "running", None
    summary = summary or _summary(path)
    if summary is None:
        return "cut off", None
    if summary.failed is not None:
        return "failed", summary
    return ("interrupted" if summary.interrupted else "complete"), summary


def _summary(path: Path) -> Summary | None:
    try:
        data = (path / SUMMARY).read_bytes()
    except FileNotFoundError:
        return None
    summary = msgspec.json.decode(data, type=Summary)
    if summary.format > FORMAT:
        raise msgspec.ValidationError(f"format {summary.format} is newer than this splitbrain's ({FORMAT})")
    return msgspec.structs.replace(summary, dir=str(path))  # a folder may have been moved


def _locked(lock: Path) -> bool:
    """Whether another process holds the lock. Asks for a shared one, so that two who ask don't see each other."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, and on disk when this returns."""
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _slug(name: str) -> str:
    """A name as part of a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:NAME_LENGTH].strip("-") or "run"


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
