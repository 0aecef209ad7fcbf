"""`splitbrain compare`: two runs side by side."""

from pathlib import Path

import click
import msgspec
from rich.console import Console

from experiments.cli.output import Answer, answering, store_option
from experiments.compare.pairs import compare_runs
from experiments.compare.table import print_comparison
from experiments.store import StoredRun, find_run


@click.command
@click.argument("a")
@click.argument("b")
@click.option("--labels", is_flag=True, help="Show metrics by region and function too.")
@store_option
@answering
def compare(a: str, b: str, *, labels: bool, store: Path) -> Answer:
    """Compare run A with run B: the parameters that differ, the metrics with their ratio, the verdicts.

    Each is a folder, an id, a unique prefix, @last or @last~1.

    \b
    splitbrain compare @last~1 @last
    """
    left, right = find_run(store, a), find_run(store, b)
    comparison = compare_runs(left, right)

    def view(out: Console) -> None:
        print_comparison(out, comparison, a=_label(left), b=_label(right), labelled=labels)

    return Answer(msgspec.to_builtins(comparison), view)


def _label(run: StoredRun) -> str:
    """A run as the head of a column."""
    return " ".join(part for part in (run.origin.run, run.plan.fabric, run.plan.variant) if part)
