"""Many plans of one command: simulator runs over a pool of processes, runs on Ray one after another on one cluster."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

import msgspec

from cluster.fabric import Progress, fabric_session
from experiments.execute import Finished, execute
from experiments.plan import Plan

PARENT_LOOK_S = 1.0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Plans to be run together."""

    plans: Sequence[Plan]
    store: Path
    group: str
    source: bytes | None = None  # the experiment file as it was given
    address: str | None = None  # of a running Ray cluster
    workers: int | None = None  # processes for simulator runs; None: one a core


def run_batch(batch: Batch, watch: Callable[[int, Progress], None]) -> Iterator[tuple[int, Finished]]:
    """Run all plans, up to the first whose fabric fails or that is interrupted.

    Args:
        watch: told of the progress of a plan, by its place, as long as plans run in this process.

    Yields: (place of the plan, its run), in the order in which they end.
    """
    workers = min(batch.workers or os.cpu_count() or 1, len(batch.plans))
    if workers > 1 and all(plan.fabric == "sim" for plan in batch.plans):
        yield from _in_pool(batch, workers)
        return
    with contextlib.ExitStack() as sessions:
        for fabric in dict.fromkeys(plan.fabric for plan in batch.plans):
            if len(batch.plans) > 1:
                sessions.enter_context(fabric_session(fabric, batch.address))
        for place, plan in enumerate(batch.plans):
            finished = _run_one(batch, plan, lambda progress, at=place: watch(at, progress))  # type: ignore[misc]
            yield place, finished
            if is_last_word(finished):
                return


def is_last_word(finished: Finished) -> bool:
    """Whether nothing more should be run after this."""
    return finished.summary.interrupted or finished.summary.failed is not None


def _run_one(batch: Batch, plan: Plan, watch: Callable[[Progress], None]) -> Finished:
    return execute(plan, batch.store, group=batch.group, watch=watch, source=batch.source, address=batch.address)


def _in_pool(batch: Batch, workers: int) -> Iterator[tuple[int, Finished]]:
    """Simulator runs, each in one of several processes. An interrupt reaches them too; each closes its folder."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), initializer=_begin_worker)
    places = iter(range(len(batch.plans)))
    going: dict[Future[Finished], int] = {}
    try:
        while True:
            while len(going) < 2 * workers and (place := next(places, None)) is not None:
                going[pool.submit(_in_worker, batch, batch.plans[place])] = place
            if not going:
                return
            for future in wait(going, return_when=FIRST_COMPLETED).done:
                place, finished = going.pop(future), future.result()
                yield place, finished
                if is_last_word(finished):
                    return
    except KeyboardInterrupt:
        for future, place in going.items():
            if not future.cancel():
                yield place, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_worker(batch: Batch, plan: Plan) -> Finished:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        finished = _run_one(batch, plan, lambda _: None)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return msgspec.structs.replace(finished, recording=None)  # it stays in the folder; to send it would cost more


def _begin_worker() -> None:
    """Take an interrupt only while a plan runs; end when the process that started it is gone, for nobody else would."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_S)
        os._exit(1)

    threading.Thread(target=look, name="parent", daemon=True).start()
