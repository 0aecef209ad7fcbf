"""What became of writes that name what they had seen: lost, kept in vain, brought back, or not seen by a later read.

Every put and delete says which values of its key its process had seen; it may take their place, and no others'. From
that alone a history of gets can be judged, whatever protocol made it:

- a value is *due* once its put is acknowledged, until some later write (that may have happened) has seen it;
- a read that begins then and does not show it is stale; if it is the key's last read, after all writes, the value is
  lost;
- a value that an acknowledged write had seen is *superseded*: a last read that shows it shows a sibling kept in vain,
  or, if that write was a delete, a resurrection.

Sound: each finding names operations that no store with the promise could have answered so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from actors.history import Operation
from actors.message import Value
from experiments.checkers.verdict import Verdict

WRITES = ("put", "delete")


class Finding(NamedTuple):
    """A value that a read should have shown, or shown no more."""

    key: str
    value: Value
    write: Operation  # that wrote it, or that took its place
    read: Operation


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """All that a history's gets show."""

    reads: int
    last_reads: int
    writes: int  # acknowledged puts with a value
    stale: list[Finding]
    lost: list[Finding]
    false_siblings: list[Finding]
    resurrected: list[Finding]
    siblings_max: int


def judge_siblings(history: Iterable[Operation]) -> Judged:
    """Look at every key of a history of get, put and delete. Values must be unique by key."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        if operation.function in ("get", *WRITES):
            by_key[operation.key].append(operation)
    found = [_judge_key(by_key[key]) for key in sorted(by_key)]
    return Judged(
        reads=sum(part.reads for part in found),
        last_reads=sum(part.last_reads for part in found),
        writes=sum(part.writes for part in found),
        stale=[finding for part in found for finding in part.stale],
        lost=[finding for part in found for finding in part.lost],
        false_siblings=[finding for part in found for finding in part.false_siblings],
        resurrected=[finding for part in found for finding in part.resurrected],
        siblings_max=max((part.siblings_max for part in found), default=0),
    )


def _judge_key(operations: list[Operation]) -> Judged:
    writes = [one for one in operations if one.function in WRITES and one.outcome != "fail"]
    reads = [one for one in operations if one.function == "get" and one.outcome == "ok"]
    written = {_value(one): one for one in writes if one.function == "put" and one.outcome == "ok"}
    first_cover: dict[Value, int] = {}  # when the first write that had seen a value was invoked
    covered_by: dict[Value, Operation] = {}  # the first acknowledged one
    for write in sorted(writes, key=lambda one: one.invoke_ns):
        for value in _seen(write):
            first_cover.setdefault(value, write.invoke_ns)
            if write.outcome == "ok" and value not in covered_by:
                covered_by[value] = write
    stale = _stale(reads, written, first_cover)
    last = _last_read(reads, writes)
    judged = Judged(
        reads=len(reads),
        last_reads=last is not None,
        writes=len(written),
        stale=stale,
        lost=[],
        false_siblings=[],
        resurrected=[],
        siblings_max=max((len(_shown(read)) for read in reads), default=0),
    )
    if last is None:
        return judged
    key, shown = last.key, _shown(last)
    for value, write in written.items():
        if value not in shown and value not in first_cover:
            judged.lost.append(Finding(key, value, write, last))
    for value in shown:
        cover = covered_by.get(value)
        if cover is not None:
            (judged.resurrected if cover.function == "delete" else judged.false_siblings).append(
                Finding(key, value, cover, last)
            )
    return judged


def _stale(reads: list[Operation], written: dict[Value, Operation], first_cover: dict[Value, int]) -> list[Finding]:
    """Reads that miss a value which was due from before their start until after their end."""
    by_return = sorted(written.items(), key=lambda item: item[1].return_ns or 0)
    due: list[tuple[Value, Operation]] = []
    found, place = [], 0
    for read in sorted(reads, key=lambda one: one.invoke_ns):
        while place < len(by_return) and (by_return[place][1].return_ns or 0) < read.invoke_ns:
            due.append(by_return[place])
            place += 1
        due = [(value, write) for value, write in due if first_cover.get(value, read.invoke_ns) >= read.invoke_ns]
        shown = _shown(read)
        end_ns = read.return_ns or 0
        missing = [pair for pair in due if pair[0] not in shown and first_cover.get(pair[0], end_ns) >= end_ns]
        found += [Finding(read.key, value, write, read) for value, write in missing[:1]]
    return found


def _last_read(reads: list[Operation], writes: list[Operation]) -> Operation | None:
    """The key's last read, if it began after every write had ended."""
    last = max(reads, key=lambda one: one.invoke_ns, default=None)
    ends = [one.ended_ns for one in writes]
    if last is None or any(end is None or end >= last.invoke_ns for end in ends):
        return None
    return last


def _value(write: Operation) -> Value:
    return write.value[0] if isinstance(write.value, tuple) else write.value


def _seen(write: Operation) -> tuple[Value, ...]:
    return write.value[1:] if isinstance(write.value, tuple) else ()


def _shown(read: Operation) -> tuple[Value, ...]:
    return read.result if isinstance(read.result, tuple) else ()


def acknowledged_kept(history: Iterable[Operation], name: Callable[[int], str]) -> Verdict:
    """No acknowledged write is lost: its value is read at the end, unless a write that had seen it took its place.

    Returns: unknown if no key has a read after its last write.
    """
    judged = judge_siblings(history)
    return _verdict(
        judged,
        judged.lost,
        "acknowledged put of {value} to {key} by {writer} is lost: {reader} does not "
        "see it, and no write had seen it before",
        name,
    )


def no_resurrection(history: Iterable[Operation], name: Callable[[int], str]) -> Verdict:
    """No deleted value comes back: a last read shows none that an acknowledged delete had seen."""
    judged = judge_siblings(history)
    return _verdict(judged, judged.resurrected, "{value} of {key} is back: {writer} deleted it, {reader} sees it", name)


def no_false_siblings(history: Iterable[Operation], name: Callable[[int], str]) -> Verdict:
    """No sibling is kept in vain: a last read shows none that an acknowledged put had taken the place of."""
    judged = judge_siblings(history)
    return _verdict(
        judged,
        judged.false_siblings,
        "{value} of {key} is still a sibling though {writer} took its place: {reader} sees it",
        name,
    )


def acknowledged_visible(history: Iterable[Operation], name: Callable[[int], str]) -> Verdict:
    """Every read sees every write that was acknowledged before it began (or what took its place): R + W > N, strictly.

    This is a regular register's promise, weaker than linearizability: two reads may still see concurrent writes in
    either order.
    """
    judged = judge_siblings(history)
    if not judged.reads or not judged.writes:
        return Verdict(valid="unknown", checked=0, reason="no acknowledged write was followed by a read")
    return _verdict(
        judged,
        judged.stale,
        "{reader} does not see {value} of {key}, which {writer} wrote before",
        name,
        checked=judged.reads,
    )


def context_sessions(history: Iterable[Operation], name: Callable[[int], str]) -> Verdict:
    """Whoever has read or written a value sees it again, or what took its place: two session guarantees in one.

    Read your writes and monotonic reads (Terry and others, "Session guarantees for weakly consistent replicated data",
    1994), each process a session.
    """
    writes: dict[tuple[str, Value], int] = {}  # when the first write was invoked that had seen a value
    sessions: dict[tuple[int, str], list[Operation]] = defaultdict(list)
    for operation in history:
        if operation.function in WRITES and operation.outcome != "fail":
            for value in _seen(operation):
                place = operation.key, value
                writes[place] = min(operation.invoke_ns, writes.get(place, operation.invoke_ns))
        if operation.function in ("get", *WRITES) and operation.outcome == "ok":
            sessions[operation.process, operation.key].append(operation)
    checked, found = 0, []
    for (_, key), operations in sorted(sessions.items()):
        seen: dict[Value, Operation] = {}
        for operation in sorted(operations, key=lambda one: one.invoke_ns):
            if operation.function == "put":
                seen[_value(operation)] = operation
            if operation.function != "get":
                continue
            checked += bool(seen)
            shown, end_ns = _shown(operation), operation.return_ns or 0
            missing = [value for value in seen if value not in shown and writes.get((key, value), end_ns) >= end_ns]
            found += [Finding(key, value, seen[value], operation) for value in missing[:1]]
            seen = dict.fromkeys(shown, operation)
    if not checked:
        return Verdict(valid="unknown", checked=0, reason="no process read a key that it had read or written before")
    text = "{reader} does not see {value} of {key} any more, which its process knew from {writer}"
    return Verdict(
        valid=not found,
        checked=checked,
        method="what each process knew",
        reason=_sentence(found[0], text, name) if found else "",
        evidence={"found": len(found)},
    )


def _verdict(
    judged: Judged, found: list[Finding], text: str, name: Callable[[int], str], *, checked: int | None = None
) -> Verdict:
    checked = judged.last_reads if checked is None else checked
    if not checked:
        return Verdict(
            valid="unknown", checked=0, reason="no key was read after its last write; give the workload a settle time"
        )
    return Verdict(
        valid=not found,
        checked=checked,
        method="what each write had seen",
        reason=_sentence(found[0], text, name) if found else "",
        evidence={
            "found": len(found),
            "writes": judged.writes,
            "first": [_sentence(one, text, name) for one in found[:5]],
        },
    )


def _sentence(finding: Finding, text: str, name: Callable[[int], str]) -> str:
    def who(operation: Operation) -> str:
        ended: Any = f"..{operation.return_ns / 1e6:.1f}" if operation.return_ns is not None else ".."
        what = f"{name(operation.node)}/{operation.process} ({operation.function}"
        return f"{what}, {operation.invoke_ns / 1e6:.1f}{ended} ms)"

    return text.format(value=finding.value, key=finding.key, writer=who(finding.write), reader=who(finding.read))
