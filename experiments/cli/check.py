"""`splitbrain check`: judge a recorded run again, from its folder alone."""

from pathlib import Path

import click
import msgspec
from rich.console import Console

from experiments.cli.output import NOT_OK, OK, Answer, answering, store_option
from experiments.cli.run_view import print_broken, verdicts_table
from experiments.judge import judge_run
from experiments.store import find_run, load_recording


@click.command
@click.argument("run")
@store_option
@answering
def check(run: str, store: Path) -> Answer:
    """Judge a recorded run again.

    RUN is a folder, an id, a unique prefix, @last or @last~1; a run that was cut off is judged by what it recorded.
    """
    stored = find_run(store, run)
    judged = judge_run(stored.plan, load_recording(stored.path))

    def view(out: Console) -> None:
        state = "" if stored.state == "complete" else f" ({stored.state}: what was recorded is judged)"
        out.print(f"{stored.plan.experiment}  run {stored.origin.run}{state}", soft_wrap=True)
        out.print()
        out.print(verdicts_table(judged.verdicts, judged.expect))
        out.print()
        if not print_broken(out, stored.path, judged):
            out.print("ok" if judged.ok else "NOT OK")

    document = {"verdicts": msgspec.to_builtins(judged.verdicts), "ok": judged.ok}
    return Answer(document, view, OK if judged.ok else NOT_OK)
