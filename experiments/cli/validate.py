"""`splitbrain validate`: all that is wrong with an experiment file, at once, and what is odd about it."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from experiments import timeline
from experiments.cli.output import Answer, answering, text
from experiments.plan import Plan, encode
from experiments.spec import load_spec
from experiments.unfold import unfold

PLANS_SHOWN = 4


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--plan", "show_plan", is_flag=True, help="Print the resolved plan, and its schedule as a timeline.")
@answering
def validate(file: Path, show_plan: bool) -> Answer:
    """Check an experiment file; name all that is wrong with it, one `file:line: path: message` each.

    What is legal but odd is a warning. --plan shows what would be run.

    \b
    splitbrain validate experiments/catalog/split-brain.yaml --plan
    """
    spec = load_spec(file)
    plans = unfold(spec, fabric="sim")
    warnings = list(spec.warnings)

    def view(out: Console) -> None:
        for warning in warnings:
            out.print(f"{text(warning)} (warning)", soft_wrap=True)
        out.print(f"{file}: valid; {len(plans)} {'run' if len(plans) == 1 else 'runs'}", soft_wrap=True)
        for plan in _different(plans)[:PLANS_SHOWN] if show_plan else ():
            print_plan(out, plan, file)

    document: dict[str, Any] = {
        "valid": True,
        "problems": [],
        "warnings": msgspec.to_builtins(warnings),
        "runs": len(plans),
    }
    if show_plan:
        document["plans"] = msgspec.to_builtins(plans)
        document["timelines"] = [[bar._asdict() for bar in timeline.bars(plan)] for plan in _different(plans)]
    return Answer(document, view)


def print_plan(out: Console, plan: Plan, file: Path) -> None:
    """Print a resolved plan and its timeline."""
    title = " ".join(filter(None, (plan.experiment, plan.variant, *(f"{k}={v}" for k, v in plan.matrix.items()))))
    out.print()
    out.print(title, style="bold")
    out.print(encode(plan).decode(), soft_wrap=True)
    if plan.chaos:
        for line in timeline.lines(plan):
            out.print(line, soft_wrap=True)


def _different(plans: list[Plan]) -> list[Plan]:
    """The plans that differ in more than their seed."""
    found: dict[bytes, Plan] = {}
    for plan in plans:
        found.setdefault(encode(msgspec.structs.replace(plan, seed=0)), plan)
    return list(found.values())
