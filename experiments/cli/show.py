"""`splitbrain show`: how a run went, with all its metrics."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from experiments.cli.list import row
from experiments.cli.output import Answer, answering, plain_table, store_option
from experiments.cli.run_view import run_view
from experiments.store import StoredRun, find_run, load_recording


@click.command
@click.argument("run")
@click.option("--labels", is_flag=True, help="Show metrics by region and function too.")
@store_option
@answering
def show(run: str, *, labels: bool, store: Path) -> Answer:
    """Show how a run went.

    RUN is a folder, an id, a unique prefix, @last or @last~1.
    """
    stored = find_run(store, run)

    def view(out: Console) -> None:
        recording = load_recording(stored.path)
        if stored.summary is None:
            out.print(f"{stored.plan.experiment}  run {stored.origin.run}: {stored.state}; nobody has judged it")
            out.print(f"judge:  splitbrain check {stored.origin.run}")
            return
        run_view(out, stored.path, stored.plan, stored.summary, recording=recording)
        out.print(_metrics(stored.summary.metrics, labels))

    return Answer(document(stored), view)


def document(stored: StoredRun) -> dict[str, Any]:
    """All that is known of a run without reading its record."""
    found = row(stored)
    if stored.summary is not None:
        found |= stored.summary.contract()
        found |= {name: getattr(stored.summary, name) for name in ("interrupted", "failed", "notes")}
    found |= {"plan": msgspec.to_builtins(stored.plan), "origin": msgspec.to_builtins(stored.origin)}
    return found


def _metrics(metrics: dict[str, float], labelled: bool) -> Table:
    table = plain_table("metric", "value", right=1)
    for name, value in metrics.items():
        if "[" in name and not labelled:
            continue
        table.add_row(name, f"{value:,.4g}" if abs(value) < 1e5 else f"{value:,.0f}")
    return table
