"""A run as Parquet files: the history, the events and the metrics of each second, one row each.

Values are JSON text, so that any reader of Parquet finds its way; times are integer nanoseconds since the start.
"""

import json
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import msgspec
import numpy as np

from actors.history import Invoke, Operation, Return
from actors.message import Event
from cluster.journal import FABRIC_EVENTS, Entry
from experiments.metrics import is_answered
from experiments.recording import Recording
from experiments.store.folder import sync_folder

History: TypeAlias = list[Operation]

HISTORY, EVENTS, METRICS = "history.parquet", "events.parquet", "metrics.parquet"

HISTORY_COLUMNS = {
    "process": "BIGINT",
    "node": "INTEGER",
    "region": "VARCHAR",
    "workload": "VARCHAR",
    "function": "VARCHAR",
    "key": "VARCHAR",
    "value": "VARCHAR",
    "intended_ns": "BIGINT",
    "invoke_ns": "BIGINT",
    "return_ns": "BIGINT",
    "outcome": "VARCHAR",
    "answered": "BOOLEAN",
    "result": "VARCHAR",
    "error": "VARCHAR",
    "ended_ns": "BIGINT",
}
EVENT_COLUMNS = {"time_ns": "BIGINT", "node": "INTEGER", "name": "VARCHAR", "kind": "VARCHAR", "fields": "VARCHAR"}
JSON_COLUMNS = ("value", "result")

EACH_SECOND = """
    SELECT intended_ns // 1000000000 AS second, region, function,
           count(*) FILTER (outcome = 'ok') AS ok,
           count(*) FILTER (outcome = 'fail') AS failed,
           count(*) FILTER (outcome = 'info') AS unknown,
           count(*) FILTER (answered) / count(*) AS availability,
           quantile_disc((return_ns - intended_ns) / 1e6, 0.5) FILTER (answered) AS latency_p50_ms,
           quantile_disc((return_ns - intended_ns) / 1e6, 0.99) FILTER (answered) AS latency_p99_ms
    FROM source GROUP BY ALL ORDER BY ALL
"""


class UnreadableTable(Exception):
    """A Parquet file isn't one, or isn't of a run."""


def written(folder: Path) -> bool:
    """Whether the record is complete as Parquet."""
    return (folder / HISTORY).exists() and (folder / EVENTS).exists()


def write(folder: Path, recording: Recording, entries: Iterable[Entry]) -> None:
    """Write the three files; all are on disk when this returns."""
    history, events = history_columns(recording), event_columns(recording, entries)
    typed = _typed(HISTORY_COLUMNS)
    with duckdb.connect() as connection:
        _copy(connection, folder / METRICS, history, query=f"WITH source AS ({typed}) {EACH_SECOND}")
        _copy(connection, folder / HISTORY, history, query=typed)
        _copy(connection, folder / EVENTS, events, query=_typed(EVENT_COLUMNS))


def read(folder: Path, events: tuple[type[Event], ...]) -> tuple[list[Entry], History]:
    """The entries but for invokes and returns, and the history that those made.

    Raises: UnreadableTable if a file is no Parquet file with the right columns.
    """
    kinds = {str(kind.__struct_config__.tag): kind for kind in (*events, *FABRIC_EVENTS)}
    rows = _rows(folder / EVENTS, ("time_ns", "node", "kind", "fields"))
    entries = [Entry(time_ns, node, _event(kinds, kind, fields)) for time_ns, node, kind, fields in rows]
    names = Operation.__struct_fields__
    history = []
    for row in _rows(folder / HISTORY, names):
        fields = dict(zip(names, row, strict=True))
        fields.update((name, _value(fields[name])) for name in JSON_COLUMNS)
        history.append(Operation(**fields))
    return entries, history


def history_columns(recording: Recording) -> dict[str, Any]:
    """The history as columns, in order of invocation, each operation with its client's region."""
    history, regions = recording.history, recording.topology.regions
    columns = {name: [getattr(operation, name) for operation in history] for name in Operation.__struct_fields__}
    columns["region"] = [regions[operation.node] for operation in history]
    columns["answered"] = [is_answered(operation) for operation in history]
    for name in JSON_COLUMNS:
        columns[name] = [to_json(value) for value in columns[name]]
    return {name: _array(columns[name], kind) for name, kind in HISTORY_COLUMNS.items()}


def event_columns(recording: Recording, entries: Iterable[Entry]) -> dict[str, Any]:
    """All entries but invokes and returns as columns; `fields` is a JSON object."""
    name = recording.topology.name
    told = [entry for entry in entries if not isinstance(entry.item, Invoke | Return)]
    columns: dict[str, list[Any]] = {
        "time_ns": [entry.time_ns for entry in told],
        "node": [entry.node for entry in told],
        "name": [name(entry.node) if entry.node >= 0 else None for entry in told],
        "kind": [str(entry.item.__struct_config__.tag) for entry in told],
        "fields": [to_json(msgspec.structs.asdict(entry.item)) for entry in told],
    }
    return {column: _array(columns[column], kind) for column, kind in EVENT_COLUMNS.items()}


def to_json(value: Any) -> str:
    """A value as JSON text. Where msgspec wrote a null Python does it anew: it tells None from NaN and infinity."""
    text = msgspec.json.encode(value)
    if b"null" in text:
        return json.dumps(msgspec.to_builtins(value, str_keys=True), separators=(",", ":"))
    return text.decode()


def from_json(text: str) -> Any:
    """The inverse of `to_json`, with lists where tuples were."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


@lru_cache(maxsize=4096)
def _value(text: str) -> Any:
    value = from_json(text)
    return tuple(value) if isinstance(value, list) else value


def _event(kinds: dict[str, type[Event]], kind: str, fields: str) -> Event:
    """Raises KeyError for an event that no actor of the run emits."""
    return msgspec.convert([kind, *from_json(fields).values()], kinds[kind], str_keys=True)


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of plain values as one Parquet file; a column that a row lacks is NULL there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        kinds[name] = _kind(values)
        columns[name] = _array(
            [_json_text(value) for value in values] if kinds[name] == "VARCHAR" else values, kinds[name]
        )
    with duckdb.connect() as connection:
        _copy(connection, path, columns, query=_typed(kinds))


def _kind(values: Sequence[Any]) -> str:
    """The narrowest type that holds all values."""
    present = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in present):
        return "BOOLEAN"
    if all(isinstance(value, int) and not isinstance(value, bool) for value in present):
        return "BIGINT"
    return "DOUBLE" if all(isinstance(value, int | float) for value in present) else "VARCHAR"


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else to_json(value)


def _array(values: list[Any], kind: str) -> Any:
    """A column for DuckDB; None is NULL."""
    if kind == "VARCHAR":
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    missing = [value is None for value in values]
    dtype = np.float64 if kind == "DOUBLE" else np.int64
    return np.ma.masked_array(np.array([value or 0 for value in values], dtype=dtype), mask=missing)


def _typed(columns: dict[str, str]) -> str:
    """The columns with their types, whatever numpy's say: one without any value has none."""
    cast = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    return f"SELECT {cast} FROM given"


def _copy(connection: duckdb.DuckDBPyConnection, path: Path, given: dict[str, Any], *, query: str) -> None:
    """Write the rows of a query over `given` to a Parquet file that is there whole or not at all."""
    draft = path.with_name(f".{path.name}")
    connection.register("given", given)
    connection.sql(query).write_parquet(str(draft), compression="zstd")
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in columns)
    try:
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {names} FROM read_parquet(?)", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise UnreadableTable(f"{path.name}: {str(error).splitlines()[0]}") from error
