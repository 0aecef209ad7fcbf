"""`splitbrain list`: the runs of the store, read from their folders, or what splitbrain knows by name."""

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.cli.output import Answer, answering, plain_table, store_option
from experiments.store import StoredRun, runs, unreadable

STYLES = {"complete": "green", "running": "cyan", "cut off": "yellow", "interrupted": "yellow", "failed": "red"}
KEY_METRICS = {"availability": "available", "latency_p50_ms": "p50 ms", "latency_p99_ms": "p99 ms"}


WHAT = (
    "runs",
    "systems",
    "faults",
    "workloads",
    "checkers",
    "anomalies",
    "metrics",
    "profiles",
    "mutants",
    "targets",
    "experiments",
)


@click.command("list")
@click.argument("what", type=click.Choice(WHAT), default="runs")
@store_option
@answering
def list_runs(what: str, store: Path) -> Answer:
    """List the runs of the store, the last one first; or the systems, faults, ... that a file can name."""
    return _known(what) if what != "runs" else _runs(store)


def _known(what: str) -> Answer:
    """What splitbrain knows by name, each with one line."""
    from experiments import glossary

    terms = list(glossary.LISTS[what]())

    def view(out: Console) -> None:
        table = plain_table(what, "what it is")
        for term in terms:
            table.add_row(term.name, term.line)
        out.print(table)
        out.print()
        out.print("more on each: splitbrain explain NAME")

    return Answer({what: [{"name": term.name, "line": term.line} for term in terms]}, view)


def _runs(store: Path) -> Answer:
    found = runs(store)[::-1]
    for reason in unreadable(store):
        click.echo(reason, err=True)

    def view(out: Console) -> None:
        if found:
            out.print(_table(found))
        else:
            out.print(f"no runs in {store} yet; `splitbrain run FILE` makes one", soft_wrap=True)

    return Answer({"runs": [row(run) for run in found]}, view)


def row(run: StoredRun) -> dict[str, Any]:
    """A run in one line, for programs; `ok` is null while nobody has judged it."""
    return {
        "run": run.origin.run,
        "dir": str(run.path),
        "state": run.state,
        "created_ns": run.origin.created_ns,
        "group": run.origin.group,
        "experiment": run.plan.experiment,
        "variant": run.plan.variant,
        "fabric": run.plan.fabric,
        "seed": run.plan.seed,
        "ok": run.summary.ok if run.summary else None,
        "metrics": run.summary.metrics if run.summary else {},
    }


def _table(found: list[StoredRun]) -> Table:
    names = ("run", "when", "experiment", "variant", "fabric", "seed", "state", "ok", *KEY_METRICS.values())
    table = plain_table(*names)

    for run in found:
        summary, plan = run.summary, run.plan
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.origin.created_ns / 1e9))
        ok = "" if summary is None else "ok" if summary.ok else "NOT OK"
        metrics = summary.metrics if summary else {}
        figures = [f"{metrics[name]:.4g}" if name in metrics else "" for name in KEY_METRICS]
        state = Text(run.state, style=STYLES[run.state])
        table.add_row(
            run.origin.run, when, plan.experiment, plan.variant or "", plan.fabric, str(plan.seed), state, ok, *figures
        )
    return table
