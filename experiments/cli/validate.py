"""`splitbrain validate`: all that is wrong with an experiment file, at once."""

from pathlib import Path

import click
from rich.console import Console

from experiments.cli.output import Answer, answering
from experiments.spec import load_spec
from experiments.unfold import unfold


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@answering
def validate(file: Path) -> Answer:
    """Check an experiment file; name all that is wrong with it, one `file:line: path: message` each."""
    plans = unfold(load_spec(file), fabric="sim")

    def view(out: Console) -> None:
        out.print(f"{file}: valid; {len(plans)} {'run' if len(plans) == 1 else 'runs'}", soft_wrap=True)

    return Answer({"valid": True, "problems": [], "runs": len(plans)}, view)
