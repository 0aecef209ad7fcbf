"""`splitbrain why`: run it again without each fault, one at a time, and tell by the difference what each one caused."""

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from experiments.cli.output import Answer, answering, console, store_option
from experiments.request import BadRequest, Changes, plans_of
from experiments.why import why as find_why


@click.command(name="why")
@click.argument("target", metavar="RUN")
@store_option
@answering
def why(target: str, store: Path) -> Answer:
    """Run it again without each fault, one at a time, and tell what each one caused.

    RUN is the name of a run, a plan.json or an experiment file (its first run). All runs are simulated.
    """
    plan = plans_of(target, store, Changes(fabric="sim")).plans[0]
    if not plan.chaos:
        raise BadRequest(f"{target} has no fault in its schedule; there is nothing to leave out")
    stderr = console(sys.stderr)
    found = find_why(plan, lambda line: stderr.print(f"running {line}"))

    def view(out: Console) -> None:
        out.print(f"failed: {'; '.join(found.failed) or 'nothing'}")
        for one in found.faults:
            out.print(f"{one.step} caused:" if one.caused else f"{one.step} caused nothing that is told here")
            for line in one.caused:
                out.print(f"  {line}", soft_wrap=True)
        if found.without_any:
            out.print(f"fails without any fault: {'; '.join(found.without_any)}")
        if found.unexplained:
            out.print(f"no single fault's absence cures: {'; '.join(found.unexplained)}")

    return Answer(msgspec.to_builtins(found), view)
