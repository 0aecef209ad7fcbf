"""Decide object after object: on several processors where there is much to do, and again where time is left over."""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from experiments.checkers.linearizable.models import Model
from experiments.checkers.linearizable.objects import ObjectHistory
from experiments.checkers.linearizable.search import Finding, Limits, search

WORTHWHILE = 20_000  # operations: with fewer, starting processes takes longer than they save


class Judged(NamedTuple):
    """One object with what was found out about it."""

    history: ObjectHistory
    finding: Finding


def judge_objects(objects: Sequence[ObjectHistory], model: Model, limits: Limits) -> list[Judged]:
    """Decide each object, short ones first, within one deadline.

    In each round every object that is undecided may take an equal share of the time that is left; whoever runs out of
    it is tried again with what quicker ones left over.
    """
    waiting = sorted(range(len(objects)), key=lambda number: len(objects[number].definite))
    found: dict[int, Finding] = {}
    with _searcher(objects, model) as (ask, workers):
        share_s = 0.0
        while waiting:
            left_s = max(0.0, limits.deadline_s - time.monotonic())
            if found and (left_s <= 0 or left_s * workers / len(waiting) < 2 * share_s):
                break
            share_s = left_s * workers / len(waiting)
            found.update(ask(waiting, share_s, limits))
            waiting = [number for number in waiting if found[number].linearizable is None and found[number].timed_out]
    return [Judged(one, found[number]) for number, one in enumerate(objects)]


class _Serial:
    """Searches one after the other, in this process."""

    def __init__(self, objects: Sequence[ObjectHistory], model: Model) -> None:
        self.objects = objects
        self.model = model

    def __call__(self, waiting: Sequence[int], share_s: float, limits: Limits) -> Iterator[tuple[int, Finding]]:
        """Search those in turn; what a quick one leaves of its share goes to the others."""
        end_s = time.monotonic() + share_s * len(waiting)
        for done, number in enumerate(waiting):
            now_s = time.monotonic()
            mine_s = max(share_s, (end_s - now_s) / (len(waiting) - done))
            deadline_s = min(now_s + mine_s, max(limits.deadline_s, now_s - 1))
            yield number, search(self.objects[number], self.model, limits._replace(deadline_s=deadline_s))


class _Parallel:
    """Searches on all processors, by processes that this one forks and that inherit what they search."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool = pool

    def __call__(self, waiting: Sequence[int], share_s: float, limits: Limits) -> Iterator[tuple[int, Finding]]:
        """Search those, the long ones first, so that the last to end is a short one."""
        asked = [(number, share_s, limits) for number in reversed(waiting)]
        yield from zip(reversed(waiting), self.pool.map(_search_inherited, asked), strict=True)


@contextmanager
def _searcher(objects: Sequence[ObjectHistory], model: Model) -> Iterator[tuple[_Serial | _Parallel, int]]:
    """What searches, and on how many processors.

    Forks only where that is safe: not beside Ray's threads.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    much = sum(len(one.definite) for one in objects) >= WORTHWHILE
    can_fork = "fork" in multiprocessing.get_all_start_methods() and "ray" not in sys.modules
    workers = min(processors, len(objects))
    if not (much and can_fork and workers > 1):
        yield _Serial(objects, model), 1
        return
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_inherit, initargs=(objects, model))
    try:
        yield _Parallel(pool), workers
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_inherited: list[tuple[Sequence[ObjectHistory], Model]] = []


def _inherit(objects: Sequence[ObjectHistory], model: Model) -> None:
    """In a forked process: keep what was inherited. Nothing is copied or pickled for it."""
    _inherited[:] = [(objects, model)]


def _search_inherited(asked: tuple[int, float, Limits]) -> Finding:
    number, share_s, limits = asked
    objects, model = _inherited[0]
    deadline_s = min(time.monotonic() + share_s, limits.deadline_s)
    return search(objects[number], model, limits._replace(deadline_s=deadline_s))
