"""A comparison as a person reads it."""

from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.compare.pairs import Comparison

NS_PER_S = 1e9


def print_comparison(out: Console, comparison: Comparison, *, a: str, b: str, labelled: bool = False) -> None:
    """Print what differs, the metrics with their ratio, and the verdicts.

    Args:
        a, b: how the two sides are called.
        labelled: show metrics by region and function too.
    """
    if comparison.differs:
        table = _table("parameter", a, b)
        for row in comparison.differs:
            table.add_row(row.path, _value(row.path, row.a), _value(row.path, row.b))
        out.print(table)
    else:
        out.print("no parameter differs")
    out.print()
    metrics = _table("metric", a, b, "ratio")
    for column in metrics.columns[1:]:
        column.justify = "right"
    for metric in comparison.metrics:
        if "[" in metric.name and not labelled:
            continue
        ratio = "" if metric.ratio is None else f"{metric.ratio:.3f}"
        metrics.add_row(metric.name, _figure(metric.a), _figure(metric.b), ratio)
    out.print(metrics)
    if comparison.verdicts:
        out.print()
        verdicts = _table("checker", a, b)
        for name, sides in comparison.verdicts.items():
            verdicts.add_row(name, _verdict(sides["a"]), _verdict(sides["b"]))
        out.print(verdicts)
    out.print()
    out.print("identical" if comparison.identical else "one run against one: no noise estimate")


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, padding=(0, 2, 0, 0))


def _value(path: str, value: Any) -> str:
    """A parameter; times in seconds."""
    if path.endswith("_ns") and isinstance(value, int):
        return f"{value / NS_PER_S:g} s"
    return "" if value is None else str(value)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if abs(value) < 1e5 else f"{value:,.0f}"


def _verdict(valid: bool | str | None) -> str:
    return {True: "valid", False: "invalid", "unknown": "unknown", None: ""}[valid]
