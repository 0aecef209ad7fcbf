"""Histories written out, as `read_history` reads them back: operations as JSON Lines, events as EDN."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from actors.history import Operation
from experiments.formats.building import CAS, OBSERVED

ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def json_lines(history: Iterable[Operation]) -> Iterator[str]:
    """One operation a line."""
    for one in history:
        yield json.dumps(_fields(one), separators=(",", ":"), ensure_ascii=False)


def _fields(one: Operation) -> dict[str, Any]:
    shown = one.result if one.value is None and one.outcome == "ok" else one.value
    fields: dict[str, Any] = {"client": one.process, "f": one.function, "value": shown, "call": one.invoke_ns}
    if one.key:
        fields["key"] = one.key
    if one.return_ns is not None:
        fields["return"] = one.return_ns
    fields["type"] = one.outcome
    if one.outcome == "ok" and one.value is not None and told(one) != one.value:
        fields["result"] = one.result
    if one.outcome == "fail" and one.error in OBSERVED:
        fields |= {"error": one.error, "result": one.result}
    return fields


def edn_lines(history: Sequence[Operation]) -> Iterator[str]:
    """One event a line, in order of time; those of one process in its order."""
    events: list[tuple[int, int, int, str]] = []
    following: dict[int, int] = {}  # process -> when it invokes next
    back_ns: list[int | None] = []
    for one in reversed(history):
        back_ns.append(following.get(one.process))
        following[one.process] = one.invoke_ns
    for number, (one, again_ns) in enumerate(zip(history, reversed(back_ns), strict=True)):
        events.append((one.invoke_ns, number, 0, _event(one, "invoke", one.invoke_ns, one.value)))
        end_ns = one.return_ns
        if one.outcome == "info":  # ends, for its reader, before its process's number comes back
            end_ns = again_ns if one.ended_ns is None else one.ended_ns
        if end_ns is not None:
            events.append((end_ns, number, 1, _event(one, one.outcome, end_ns, told(one))))
    events.sort()
    for _, _, _, line in events:
        yield line


def told(one: Operation) -> Any:
    """The value of an operation's end: what came back, or what was asked where nothing else did."""
    answers = one.outcome == "ok" and one.result is not None and one.function not in CAS
    return one.result if answers else one.value


def _event(one: Operation, kind: str, time_ns: int, value: Any) -> str:
    key = f", :key {edn(one.key)}" if one.key else ""
    error = ""
    if kind == "fail" and one.error in OBSERVED:
        error = f", :error [{edn(one.error)} {edn(one.result)}]"
    elif kind in ("fail", "info") and one.error:
        error = f", :error {edn(one.error)}"
    name = f":{one.function}" if one.function.replace("-", "").isalnum() else edn(one.function)
    return f"{{:process {one.process}, :type :{kind}, :f {name}{key}, :value {edn(value)}, :time {time_ns}{error}}}"


def edn(value: Any) -> str:
    """A value as EDN."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(ESCAPES.get(mark, mark) for mark in value) + '"'
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(edn, value)) + "]"
    return repr(value)
