"""What faults do to one node at present: its disk, its clocks, its CPU, its inbox and named points of its code."""

from collections.abc import Iterable

import msgspec


class Ailment(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are health. Ailments of one node add up."""

    fsync_extra_ns: int = 0  # each sync takes so much longer
    fsync_fails: bool = False  # the next sync fails; the node stops, since it can't know what its disk holds
    fsync_lies: bool = False  # syncs say that they are done, and write nothing
    tears_write: bool = False  # the next write is cut off in the middle, and the node with it
    no_writes: bool = False  # nothing gets onto the disk; whatever waits for it waits
    no_appends: bool = False  # the disk is full: logs can't grow
    clock_offset_ns: int = 0  # the wall clock is off by this
    clock_ppm: int = 0  # both clocks and all timers run so much faster
    clock_stands: bool = False  # the wall clock stands still
    cpu_extra_ns: int = 0  # each message and timer keeps the node busy for so long
    inbox: int = 0  # messages that may wait; what comes on top is dropped. 0: no bound
    points: tuple[tuple[str, float], ...] = ()  # named points of the code, and the chance that each fails


HEALTHY = Ailment()


def together(ailments: Iterable[Ailment]) -> Ailment:
    """Several ailments as one: times and rates add up, the smallest inbox counts."""
    found = list(ailments)
    if len(found) <= 1:
        return found[0] if found else HEALTHY
    inboxes = [one.inbox for one in found if one.inbox]
    return Ailment(
        fsync_extra_ns=sum(one.fsync_extra_ns for one in found),
        fsync_fails=any(one.fsync_fails for one in found),
        fsync_lies=any(one.fsync_lies for one in found),
        tears_write=any(one.tears_write for one in found),
        no_writes=any(one.no_writes for one in found),
        no_appends=any(one.no_appends for one in found),
        clock_offset_ns=sum(one.clock_offset_ns for one in found),
        clock_ppm=sum(one.clock_ppm for one in found),
        clock_stands=any(one.clock_stands for one in found),
        cpu_extra_ns=sum(one.cpu_extra_ns for one in found),
        inbox=min(inboxes, default=0),
        points=tuple(point for one in found for point in one.points),
    )
