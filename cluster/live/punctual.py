"""Make a process punctual: let the kernel end waits in time, and keep the garbage collector out of the way."""

import contextlib
import ctypes
import gc

PR_SET_TIMERSLACK = 29
LEAST_SLACK_NS = 1
COLLECT_AFTER = 50_000  # allocations more than deallocations; Python's own 700 means hundreds of looks a second


def be_punctual() -> None:
    """For the calling thread's waits, and the whole process's collector; call it once everything is set up.

    Linux may end a wait up to 50 us late, to end several at once; with the least slack `select` is some 20 us late, as
    a timerfd is. Where that can't be set, waits are as late as they are.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, LEAST_SLACK_NS, 0, 0, 0)
    gc.collect()
    gc.freeze()  # what is there now stays: modules, tables, settings
    gc.set_threshold(COLLECT_AFTER, 20, 100)
