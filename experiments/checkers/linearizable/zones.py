"""Registers whose written values are unique: decided exactly in O(n log n), all keys at once.

Source: Gibbons and Korach, "Testing shared memories", SIAM J. Computing 26(4), 1997, theorem 4.5 and section 4.2.

The *cluster* of a value is its write and its reads. Its *zone* lies between its least return f and its greatest call g:
*forward*, [f, g], if f < g, for then the value stood there all the time from f to g; else *backward*, [g, f]: there is
a moment that lies inside all its operations. A history is linearizable iff

- no read finds a value that was never written, nor returns before the write of its value was called,
- no two forward zones overlap, and
- no backward zone lies inside a forward one.

The initial value counts as written at minus infinity. A write that never returned has its return at infinity, and is
left out if nobody read it; a read that never returned is left out.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.checkers.columns import FAIL, NEVER_NS, NIL, OK, Columns, Ints

BEFORE_ALL_NS = NIL
READS, WRITES = ("read", "get"), ("write", "put", "set")


class Clash(NamedTuple):
    """A key that is not linearizable, and the operations that show it, as rows of the history."""

    key: int
    kind: str  # never-written, read-before-write, two values at once, value inside another
    rows: tuple[int, ...]  # the writes of the values, and at most four that show that these can't be ordered


class Zones(NamedTuple):
    """What was found out about the keys that this method can decide."""

    decided: frozenset[int]
    clashes: list[Clash]  # one a key at most
    disputed: frozenset[int]  # decided only if ties, or the clock's bound, are left aside: a search has to


class Operations(NamedTuple):
    """The reads and writes that count, as columns; `row` is the place in the history."""

    row: Ints
    key: NDArray[np.int32]
    value: Ints  # code of the value read or written
    writes: NDArray[np.bool_]
    call: Ints
    end: Ints

    def pick(self, which: Ints | NDArray[np.bool_]) -> "Operations":
        """Some of them: places, or a mask."""
        row, key, value, writes, call, end = self
        return Operations(row[which], key[which], value[which], writes[which], call[which], end[which])


def zones(history: Columns, *, initial: object = None, bound_ns: int = 0) -> Zones:
    """Decide all keys that are only read and written, each value at most once.

    Sound and complete for the keys in `decided`.

    Args:
        initial: what an unwritten register reads.
        bound_ns: how far a clock may be off: intervals are widened by this on both sides.
    """
    operations, suitable = _suitable(history, initial)
    if not suitable.any():
        return Zones(frozenset(), [], frozenset())
    codes = np.flatnonzero(suitable).tolist()
    start = history.result.code_of(initial)
    ranked = _process_order_matters(history, operations, bound_ns)
    strict = _clashes(_ranks(history, operations) if ranked else operations, start)
    if not ranked or not strict:
        return Zones(frozenset(codes), _named(strict, operations), frozenset())
    # Judged by an order that is stricter than the real one: valid there is valid. Where not, by one that is looser.
    condemned = {clash.key for clash in strict}
    suspects = operations.row[np.isin(operations.key, sorted(condemned))]
    part = operations.pick(np.isin(operations.row, suspects))
    widened = part._replace(call=_shift(part.call, -bound_ns), end=_shift(part.end, bound_ns))
    loose = _clashes(widened, start)
    disputed = frozenset(condemned - {clash.key for clash in loose})
    return Zones(frozenset(codes) - disputed, _named(loose, part), disputed)


def _shift(times: Ints, by_ns: int) -> Ints:
    return np.where(times == NEVER_NS, NEVER_NS, times + by_ns)


def _suitable(history: Columns, initial: object) -> tuple[Operations, NDArray[np.bool_]]:
    """The operations of the keys that this method can decide, and which keys those are."""
    reads = np.isin(history.function, [code for code, name in enumerate(history.functions) if name in READS])
    writes = np.isin(history.function, [code for code, name in enumerate(history.functions) if name in WRITES])
    suitable = np.zeros(len(history.keys), dtype=bool)
    suitable[history.key] = True
    suitable[history.key[~(reads | writes)]] = False
    counts = np.where(writes, history.outcome != FAIL, history.outcome == OK) & (reads | writes)
    counts &= suitable[history.key]
    row = np.flatnonzero(counts)
    value = np.where(reads[row], history.result.codes[row], history.value.codes[row])
    operations = Operations(
        row=row,
        key=history.key[row],
        value=value,
        writes=writes[row],
        call=history.invoke_ns[row],
        end=history.return_ns[row],
    )
    order = _clustered(operations)
    operations = operations.pick(order)
    repeated = _repeated(operations, history.value.code_of(initial))
    suitable[operations.key[repeated]] = False
    kept = suitable[operations.key]
    return operations.pick(kept), suitable


def _clustered(operations: Operations) -> Ints:
    """The order in which each cluster's operations stand together, its write first."""
    return np.lexsort((~operations.writes, operations.value, operations.key))


def _repeated(operations: Operations, start: int | None) -> NDArray[np.bool_]:
    """Which operations write a value that another one wrote too, or that stood there at first."""
    again = np.zeros(len(operations.row), dtype=bool)
    if len(again):
        same = (operations.key[1:] == operations.key[:-1]) & (operations.value[1:] == operations.value[:-1])
        again[1:] = same & operations.writes[1:] & operations.writes[:-1]
    if start is not None:
        again |= operations.writes & (operations.value == start)
    return again


def _process_order_matters(history: Columns, operations: Operations, bound_ns: int) -> bool:
    """Whether a process's order says more than (widened) times do: its operations touch, or clocks may be off."""
    if bound_ns:
        return True
    process, ends = history.process[operations.row], operations.end != NEVER_NS
    order = np.lexsort((operations.end, operations.call, process))
    order = order[ends[order]]
    same = process[order][1:] == process[order][:-1]
    touches = same & (operations.end[order][:-1] == operations.call[order][1:])
    return bool(touches.any() or np.isin(operations.call[~ends], operations.end[ends]).any())


def _ranks(history: Columns, operations: Operations) -> Operations:
    """The same operations with calls and returns as places in one order that respects times and processes.

    At one moment first return those that began earlier; then those of no length come and go, in the history's order;
    then begin those that end later.
    """
    call, end, row = operations.call, operations.end, operations.row
    instant = call == end
    count = len(row)
    times = np.concatenate([call, end])
    turn = np.concatenate([np.where(instant, 1, 2), np.where(instant, 1, 0)])
    rows = np.concatenate([row * 2, row * 2 + 1])
    order = np.lexsort((rows, turn, times))
    rank = np.empty(2 * count, dtype=np.int64)
    rank[order] = np.arange(2 * count)
    return operations._replace(call=rank[:count], end=np.where(end == NEVER_NS, NEVER_NS, rank[count:]))


def _clashes(operations: Operations, start: int | None) -> list[Clash]:
    """The keys that are not linearizable, each with its first clash of a kind; rows are places in `operations`."""
    if not len(operations.row):
        return []
    key, value, writes, call, end = operations[1:]
    begins = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (value[1:] != value[:-1])])
    sizes = np.diff(np.r_[begins, len(key)])
    written = writes[begins]
    initial = ~written & (value[begins] == start) if start is not None else np.zeros(len(begins), dtype=bool)
    read = sizes > written  # an unread write of unknown outcome is left out
    counts = read | (end[begins] != NEVER_NS)
    found: dict[int, Clash] = {}
    for cluster in np.flatnonzero(~written & ~initial).tolist():
        found.setdefault(
            int(key[begins[cluster]]), Clash(int(key[begins[cluster]]), "never-written", (begins[cluster],))
        )
    write_of = np.repeat(begins, sizes)
    early = ~writes & writes[write_of] & (end < call[write_of])
    for place in np.flatnonzero(early).tolist():
        found.setdefault(int(key[place]), Clash(int(key[place]), "read-before-write", (int(write_of[place]), place)))
    first_end = np.where(initial, BEFORE_ALL_NS, np.minimum.reduceat(end, begins))
    last_call = np.maximum.reduceat(call, begins)
    clusters = Clusters(key[begins], first_end, last_call, begins, sizes)
    for clash in _overlaps(clusters, counts, operations):
        found.setdefault(clash.key, clash)
    return list(found.values())


class Clusters(NamedTuple):
    """Clusters as columns."""

    key: NDArray[np.int32]
    first_end: Ints
    last_call: Ints
    begins: Ints  # in `Operations`
    sizes: Ints


def _overlaps(clusters: Clusters, counts: NDArray[np.bool_], operations: Operations) -> list[Clash]:
    """Forward zones that overlap, and backward ones inside a forward one."""
    forward = np.flatnonzero(counts & (clusters.first_end < clusters.last_call))
    forward = forward[np.lexsort((clusters.first_end[forward], clusters.key[forward]))]
    key, begin, stop = clusters.key[forward], clusters.first_end[forward], clusters.last_call[forward]
    clashes = []
    # Sorted by their begin, zones overlap iff two neighbours do.
    meets = np.flatnonzero((key[1:] == key[:-1]) & (begin[1:] < stop[:-1]))
    for place in meets.tolist():
        rows = _witnesses(clusters, (forward[place], forward[place + 1]), operations)
        clashes.append(Clash(int(key[place]), "two values at once", rows))
    backward = np.flatnonzero(counts & (clusters.first_end >= clusters.last_call))
    if not len(forward) or not len(backward):
        return clashes
    # (key, time) as one number, so that one binary search serves all keys.
    ends = np.unique(np.concatenate([begin, clusters.last_call[backward]]), return_inverse=True)[1]
    width = np.int64(len(ends) + 1)
    place_of = key.astype(np.int64) * width + ends[: len(begin)]
    wanted = clusters.key[backward].astype(np.int64) * width + ends[len(begin) :]
    before = np.searchsorted(place_of, wanted, side="left") - 1  # the last forward zone that begins before
    around = np.maximum(before, 0)
    inside = (before >= 0) & (key[around] == clusters.key[backward]) & (clusters.first_end[backward] < stop[around])
    for place in np.flatnonzero(inside).tolist():
        rows = _witnesses(clusters, (forward[around[place]], backward[place]), operations)
        clashes.append(Clash(int(clusters.key[backward[place]]), "value inside another", rows))
    return clashes


def _witnesses(clusters: Clusters, pair: tuple[int, int], operations: Operations) -> tuple[int, ...]:
    """The write, the operation that returned first and the one that was called last, of each of two clusters."""
    rows: list[int] = []
    for cluster in pair:
        begin, size = int(clusters.begins[cluster]), int(clusters.sizes[cluster])
        part = slice(begin, begin + size)
        if operations.writes[begin]:
            rows.append(begin)
        rows.append(begin + int(np.argmin(operations.end[part])))
        rows.append(begin + int(np.argmax(operations.call[part])))
    return tuple(dict.fromkeys(rows))


def _named(clashes: list[Clash], operations: Operations) -> list[Clash]:
    """The same clashes with rows of the history."""
    return [clash._replace(rows=tuple(int(operations.row[place]) for place in clash.rows)) for clash in clashes]
