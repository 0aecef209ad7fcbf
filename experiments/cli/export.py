"""`splitbrain export`: the history of a run in a format that other tools read."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from actors.history import Operation
from experiments.cli.output import Answer, answering, store_option
from experiments.formats.writing import edn_lines, json_lines
from experiments.request import BadRequest
from experiments.store import find_run, load_recording

WRITERS: dict[str, Callable[[Sequence[Operation]], Iterator[str]]] = {"edn": edn_lines, "jsonl": json_lines}


@click.command
@click.argument("run")
@click.option("--to", "to", metavar="|".join(WRITERS), required=True, help="The format.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; default: standard output.")
@store_option
@answering
def export(run: str, to: str, out: Path | None, store: Path) -> Answer:
    """Write the history of a run in a format that other tools read, and `splitbrain check FILE` too.

    RUN is a folder, an id, a unique prefix, @last or @last~1.
    """
    if to not in WRITERS:
        raise BadRequest(f"--to {to}: there is {', '.join(WRITERS)}")
    history = load_recording(find_run(store, run).path).history
    lines = WRITERS[to](history)
    document: dict[str, Any] = {"run": run, "format": to, "operations": len(history)}
    if out is None:
        return Answer(document | {"lines": list(lines)} if _asked_for_json() else document, lambda _: _print(lines))
    try:
        with out.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise BadRequest(f"{out} can't be written: {error.strerror or error}") from error

    def view(console: Console) -> None:
        console.print(f"{len(history):,} operations in {out}", soft_wrap=True)

    return Answer(document | {"file": str(out)}, view)


def _asked_for_json() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.params.get("as_json"))


def _print(lines: Iterator[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
