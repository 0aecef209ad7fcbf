"""Many plans of one command: over processes or Ray's tasks on the simulator, one after another on the Ray fabric.

Starting Ray takes seconds and a simulated run often less than one, so that a machine alone uses a pool of processes.
"""

import contextlib
import multiprocessing
import os
import select
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple, TypeAlias, TypeVar

import msgspec

from cluster.fabric import Progress, fabric_session, map_function
from experiments.execute import Finished, execute
from experiments.plan import Plan
from experiments.store.parcel import pack, unpack

INTERRUPT_EVERY_S = 0.1
R = TypeVar("R")

Ended: TypeAlias = tuple[int, Finished | Exception]
"""The place of a plan, and its run; or what its worker died of, which is no word on the experiment."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Plans to be run together."""

    plans: Sequence[Plan]
    store: Path
    group: str
    source: bytes | None = None  # the experiment file as it was given
    address: str | None = None  # of a running Ray cluster; simulator runs become its tasks
    workers: int | None = None  # processes for simulator runs; None: one a core
    keep_going: bool = False  # go on behind a run that failed


def run_batch(batch: Batch, watch: Callable[[int, Progress], None]) -> Iterator[Ended]:
    """Run all plans, up to the first whose fabric fails, unless the batch keeps going, or that is interrupted.

    Args:
        watch: told of the progress of a plan, by its place, as long as plans run in this process.

    Yields: in the order in which the runs end.
    """
    for place, ended in _all(batch, watch):
        yield place, ended
        if is_last_word(ended, keep_going=batch.keep_going):
            return


def is_last_word(ended: Finished | Exception, *, keep_going: bool = False) -> bool:
    """Whether nothing more should be run after this."""
    if isinstance(ended, Exception):
        return not keep_going
    return ended.summary.interrupted or (ended.summary.failed is not None and not keep_going)


def _all(batch: Batch, watch: Callable[[int, Progress], None]) -> Iterator[Ended]:
    simulated = all(plan.fabric == "sim" for plan in batch.plans)
    workers = min(batch.workers or os.cpu_count() or 1, len(batch.plans))
    if simulated and batch.address is not None:
        return _as_tasks(batch)
    if simulated and workers > 1:
        return _in_pools(batch, workers)
    return _one_by_one(batch, watch)


def _one_by_one(batch: Batch, watch: Callable[[int, Progress], None]) -> Iterator[Ended]:
    with contextlib.ExitStack() as sessions:
        for fabric in dict.fromkeys(plan.fabric for plan in batch.plans) if len(batch.plans) > 1 else ():
            sessions.enter_context(fabric_session(fabric, batch.address))
        for place, plan in enumerate(batch.plans):
            watch_this = partial(watch, place)
            yield place, _outcome(batch, lambda: _run_one(batch, plan, watch_this))  # noqa: B023 - called at once


def _outcome(batch: Batch, run: Callable[[], R]) -> R | Exception:
    """What comes of a run; a batch that keeps going takes an error, be it a bug, as the end of that run alone."""
    try:
        return run()
    except BrokenExecutor:
        raise
    except Exception as error:
        if not batch.keep_going:
            raise
        return error


def _run_one(batch: Batch, plan: Plan, watch: Callable[[Progress], None]) -> Finished:
    return execute(plan, batch.store, group=batch.group, watch=watch, source=batch.source, address=batch.address)


# processes


def _in_pools(batch: Batch, workers: int) -> Iterator[Ended]:
    """Each run in one of several processes. Runs that were under way when a process died are tried again, alone."""
    waiting = list(range(len(batch.plans)))
    while waiting:
        ended: set[int] = set()
        for place, outcome in _in_pool(batch, workers, waiting):
            ended.add(place)
            yield place, outcome
        suspects = [place for place in waiting if place not in ended][: 2 * workers]
        for place in suspects:
            alone = dict(_in_pool(batch, 1, [place]))
            yield place, alone.get(place, RuntimeError("its process died; the system's log may say why"))
        waiting = [place for place in waiting if place not in ended and place not in suspects]


def _in_pool(batch: Batch, workers: int, places: Sequence[int]) -> Iterator[Ended]:
    """Runs over one pool, up to its end or the death of one of its processes.

    Each process holds the reading end of a pipe whose writing end is this process's alone. When that closes, because
    nothing more is wanted or because this process is gone, what still runs is interrupted.
    """
    reading, writing = os.pipe()
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("fork"), initializer=_begin_worker, initargs=(reading, writing)
    )
    left = iter(places)
    going: dict[Future[Finished | None], int] = {}
    try:
        while True:
            while len(going) < 2 * workers and (place := next(left, None)) is not None:
                going[pool.submit(_in_worker, batch, batch.plans[place])] = place
            if not going:
                return
            for future in wait(going, return_when=FIRST_COMPLETED).done:
                place, outcome = going.pop(future), _outcome(batch, future.result)
                if outcome is not None:
                    yield place, outcome
    except BrokenExecutor:
        return
    except KeyboardInterrupt:
        os.close(writing)
        writing = -1
        for future, place in going.items():
            outcome = None if future.cancel() else _outcome(batch, future.result)
            if outcome is not None:
                yield place, outcome
        raise
    finally:
        if writing >= 0:
            os.close(writing)
        pool.shutdown(wait=True, cancel_futures=True)
        os.close(reading)


_unwanted = threading.Event()  # in a worker: whoever started it wants no more


def _in_worker(batch: Batch, plan: Plan) -> Finished | None:
    """Run a plan; None if the batch was interrupted while it waited for its turn."""
    if _unwanted.is_set():
        return None
    signal.signal(signal.SIGINT, _interrupt_once)
    try:
        finished = _run_one(batch, plan, lambda _: None)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return msgspec.structs.replace(finished, recording=None)  # it stays in the folder; to send it would cost more


def _interrupt_once(_: int, __: FrameType | None) -> None:
    """A terminal's interrupt reaches a worker, and that of the process that started it does too: one is enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _begin_worker(reading: int, writing: int) -> None:
    """Take an interrupt only while a plan runs. End when the process that started it is gone, for nobody else would."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(writing)
    _unwanted.clear()
    parent = os.getppid()

    def look() -> None:
        select.select([reading], [], [])
        _unwanted.set()
        while True:
            time.sleep(INTERRUPT_EVERY_S)  # a process that dies closes its pipes before it is gone
            if os.getppid() != parent:
                os._exit(1)
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=look, name="parent", daemon=True).start()


# Ray's tasks


class Errand(NamedTuple):
    """What a task is given."""

    plan: Plan
    group: str
    source: bytes | None


class Delivery(NamedTuple):
    """What a task brings back: the run's folder, packed, and its run."""

    parcel: bytes
    finished: Finished


def _as_tasks(batch: Batch) -> Iterator[Ended]:
    """Each run as a Ray task, wherever; its folder comes here."""
    errands = [Errand(plan, batch.group, batch.source) for plan in batch.plans]
    for place, outcome in map_function(run_errand, errands, address=batch.address):
        if isinstance(outcome, Exception):
            yield place, outcome
            continue
        path = unpack(outcome.parcel, batch.store)
        summary = msgspec.structs.replace(outcome.finished.summary, dir=str(path))
        yield place, msgspec.structs.replace(outcome.finished, path=path, summary=summary)


def run_errand(errand: Errand) -> Delivery:
    """Run a plan in a folder of this machine, and pack the run's folder."""
    with tempfile.TemporaryDirectory() as store:
        finished = execute(errand.plan, Path(store), group=errand.group, watch=lambda _: None, source=errand.source)
        return Delivery(pack(finished.path), msgspec.structs.replace(finished, recording=None))
