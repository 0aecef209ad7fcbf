"""`splitbrain sweep`: an experiment over a grid of parameters."""

import signal
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from experiments import expect
from experiments.cli.output import NOT_OK, OK, Answer, answering, console, plain_table, store_option
from experiments.cli.run_view import near
from experiments.request import Changes, overrides
from experiments.sweep import (
    KEY_METRICS,
    Row,
    Sweep,
    axis_of,
    plan_sweep,
    run_sweep,
    summarised,
    write_parquet,
    write_plan,
)

LOST_SHOWN = 5


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--over", "axes", multiple=True, metavar="PATH=A,B,C", help="An axis of the grid; give as many as needed."
)
@click.option("--seeds", type=click.IntRange(min=1), help="Runs at each point, with seeds that count up.")
@click.option("--seed", type=click.IntRange(min=0), help="The first seed.")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Set one value at every point.")
@click.option("--fabric", type=click.Choice(["sim", "ray"]), default="sim", show_default=True)
@click.option("--address", help="Run as tasks of this Ray cluster; `local` starts Ray on this machine.")
@store_option
@answering
def sweep(file: Path, store: Path, **options: Any) -> Answer:
    """Run an experiment over a grid, several seeds at each point.

    \b
    splitbrain sweep raft.yaml --over system.raft.batch=1,16,128 --over cluster.fsync=0ms,5ms --seeds 20

    The same call goes on where an earlier one stopped. One Parquet file at the end holds a row a run.
    """
    grid = _planned(file, options)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell starts us with interrupts ignored
        signal.signal(number, signal.default_int_handler)
    write_plan(grid, store)
    stderr = console(sys.stderr)

    def told(done: int, total: int, row: Row) -> None:
        where = " ".join(f"{path}={value}" for path, value in row.plan.matrix.items())
        word = f"lost: {row.lost}" if row.lost else "ok" if row.summary and row.summary.ok else "NOT OK"
        stderr.print(f"[{done}/{total}] {where} seed {row.plan.seed}: {word}", soft_wrap=True)

    rows = run_sweep(grid, store, address=options["address"], told=told)
    path = write_parquet(grid, rows, store)
    return _answer(grid, rows, path)


def _planned(file: Path, options: dict[str, Any]) -> Sweep:
    changes = Changes(seed=options["seed"], repeat=options["seeds"], sets=options["sets"])
    axes = [axis_of(text) for text in options["axes"]]
    return plan_sweep(file, axes, sets=overrides(changes), fabric=options["fabric"])


def _answer(grid: Sweep, rows: list[Row], path: Path) -> Answer:
    metrics = list(dict.fromkeys((*_named(grid), *KEY_METRICS)))
    points = list(summarised(rows, metrics))
    ok = all(row.summary is not None and row.summary.ok for row in rows)
    document = {
        "sweep": grid.name,
        "file": str(path),
        "points": [
            {"place": place, "runs": runs, "ok": good, "medians": medians} for place, runs, good, medians in points
        ],
        "lost": [{"seed": row.plan.seed, "place": row.plan.matrix, "why": row.lost} for row in rows if row.lost],
        "ok": ok,
    }

    def view(out: Console) -> None:
        shown = [name for name in metrics if any(name in medians for *_, medians in points)]
        axes = list(dict.fromkeys(path for place, *_ in points for path in place))
        table = plain_table(*(axis.rpartition(".")[2] for axis in axes), "runs", "ok", *shown, right=len(axes))
        for place, runs, good, medians in points:
            figures = (f"{medians[name]:,.4g}" if name in medians else "" for name in shown)
            table.add_row(*(place.get(axis, "") for axis in axes), str(runs), str(good), *figures)
        out.print(table)
        out.print()
        for row in [row for row in rows if row.lost][:LOST_SHOWN]:
            out.print(f"lost: seed {row.plan.seed} {row.plan.matrix}: {row.lost}", soft_wrap=True)
        out.print(f"medians over seeds; one row a run: {near(path)}", soft_wrap=True)

    return Answer(document, view, OK if ok else NOT_OK)


def _named(grid: Sweep) -> list[str]:
    """The metrics that the file's expectations speak of."""
    lines = dict.fromkeys(text for plan in grid.plans for text in (*plan.expect, *plan.group_expect))
    references = [reference for text in lines for reference in expect.parse(text).references]
    return [reference.name + reference.labels for reference in references]
