"""What a person reads of several runs of one command: a row each, then their variants side by side."""

from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from experiments import expect
from experiments.cli.output import plain_table
from experiments.cli.run_view import ended, print_broken, verdicts_table, word
from experiments.execute import Finished
from experiments.plan import Plan
from experiments.store.summary import GroupExpected

RUNS_SHOWN = 60
KEY_METRICS = ("availability", "throughput_ops_s", "latency_p50_ms", "latency_p99_ms", "recovery_max_ms", "elections")


def group_view(out: Console, done: Sequence[Finished], *, expected: Sequence[GroupExpected]) -> None:
    """Print a row a run, the variants side by side, what broke, and what was expected of them together."""
    out.print(_runs(done))
    out.print()
    columns = side_by_side(done)
    if len(columns) > 1:
        out.print(_columns(columns, _metrics([one.plan for one in done])))
        out.print()
    for one in done:
        print_broken(out, one.path, one.summary, title=f"{one.summary.run} ")
    if expected:
        out.print(verdicts_table({}, expected))
        out.print()


def side_by_side(done: Sequence[Finished]) -> dict[str, list[Finished]]:
    """The runs by variant and place in the matrix, under a short name."""
    columns: dict[str, list[Finished]] = {}
    for one in done:
        columns.setdefault(point_name(one.plan), []).append(one)
    return columns


def point_name(plan: Plan) -> str:
    """A variant and its place in the matrix, in few words."""
    place = (f"{path.rpartition('.')[2]}={value}" for path, value in plan.matrix.items())
    return " ".join(filter(None, (plan.variant, *place))) or plan.experiment


def _runs(done: Sequence[Finished]) -> Table:
    table = plain_table("run", "of", "fabric", "seed", "", "available", "p50 ms", "p99 ms", "verdicts")
    for one in done[:RUNS_SHOWN]:
        summary, metrics = one.summary, one.summary.metrics
        figures = (metrics.get(name) for name in ("availability", "latency_p50_ms", "latency_p99_ms"))
        table.add_row(
            summary.run,
            point_name(one.plan),
            summary.fabric,
            str(summary.seed),
            ended(summary),
            *(_figure(value) for value in figures),
            ", ".join(f"{name} {word(verdict.valid).plain}" for name, verdict in summary.verdicts.items()),
        )
    if len(done) > RUNS_SHOWN:
        table.add_row("...", f"and {len(done) - RUNS_SHOWN} more")
    return table


def _columns(columns: dict[str, list[Finished]], metrics: Sequence[str]) -> Table:
    """A row a metric, a column a variant; medians over the seeds."""
    seeds = max(len(runs) for runs in columns.values())
    table = plain_table("metric" if seeds == 1 else f"median of {seeds} runs", *columns, right=1)
    for name in metrics:
        values = [
            [one.summary.metrics[name] for one in runs if name in one.summary.metrics] for runs in columns.values()
        ]
        if any(values):
            table.add_row(name, *(_figure(median(those)) if those else "" for those in values))
    return table


def _metrics(plans: Sequence[Plan]) -> list[str]:
    """The metrics that the file speaks of, then those that everybody asks for."""
    lines = dict.fromkeys(text for plan in plans for text in (*plan.expect, *plan.group_expect))
    named = [ref.name + ref.labels for text in lines for ref in expect.parse(text).references]
    return list(dict.fromkeys((*named, *KEY_METRICS)))


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if abs(value) <= 1 else f"{value:,.1f}"
