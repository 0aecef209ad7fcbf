"""Recorded runs for notebooks: histories, events and metrics as DuckDB relations, from there Arrow or pandas."""

from collections.abc import Sequence
from typing import Any

import duckdb

from experiments.store import StoredRun, StoreError
from experiments.store.tables import EVENTS, HISTORY, METRICS


def relation(runs: Sequence[StoredRun], table: str) -> duckdb.DuckDBPyRelation:
    """The rows of one table of these runs, each with the run, variant and seed that it is from.

    Args:
        table: "history" (an operation a row), "events", or "metrics" (a second, region and function a row).

    Raises:
        KeyError: there is no such table.
        StoreError: a run has no tables yet: it goes on, or was cut off.
    """
    file = {"history": HISTORY, "events": EVENTS, "metrics": METRICS}[table]
    parts, values = [], []
    for run in runs:
        path = run.path / file
        if not path.exists():
            raise StoreError(f"{run.path.name} has no {file} yet: it is {run.state}")
        parts.append("SELECT ? AS run, ? AS variant, ?::BIGINT AS seed, * FROM read_parquet(?)")
        values += [run.origin.run, run.plan.variant, run.plan.seed, str(path)]
    return duckdb.connect().sql(" UNION ALL ".join(parts), params=values)


def figures(runs: Sequence[StoredRun]) -> list[dict[str, Any]]:
    """One row a run: which it is, whether it is ok, its parameters and all its metrics."""
    rows = []
    for run in runs:
        row: dict[str, Any] = {"run": run.origin.run, "variant": run.plan.variant, "seed": run.plan.seed}
        row |= {"fabric": run.plan.fabric, "ok": run.summary.ok if run.summary else None, **run.plan.params}
        rows.append(row | (run.summary.metrics if run.summary else {}))
    return rows
