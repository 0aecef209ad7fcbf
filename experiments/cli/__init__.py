"""The command `splitbrain`: one file a command, imported only when it is asked for.

To add one: its file, its line in COMMANDS and its line in HELP.
"""

import os
import sys
from difflib import get_close_matches
from importlib import import_module

import click

COMMANDS = {
    "run": "experiments.cli.run:run",
    "check": "experiments.cli.check:check",
    "export": "experiments.cli.export:export",
    "compare": "experiments.cli.compare:compare",
    "list": "experiments.cli.list:list_runs",
    "show": "experiments.cli.show:show",
    "replay": "experiments.cli.replay:replay_command",
    "why": "experiments.cli.why:why",
    "validate": "experiments.cli.validate:validate",
    "sweep": "experiments.cli.sweep:sweep",
    "new": "experiments.cli.new:new",
    "explain": "experiments.cli.explain:explain",
    "schema": "experiments.cli.schema:schema",
    "bench": "experiments.cli.bench:bench",
}

HELP = {  # stands here too, so that --help imports none of them
    "run": "Run an experiment, record it and judge it.",
    "check": "Judge a recorded run again, or the history in a file.",
    "export": "Write a run's history as EDN or JSON Lines.",
    "compare": "Compare two runs: parameters, metrics, verdicts.",
    "list": "List the runs of the store, or what there is: list faults.",
    "show": "Show how a run went.",
    "replay": "Run it again up to a moment, and look into its nodes.",
    "why": "Run it again without each fault, and tell what each one caused.",
    "validate": "Check an experiment file; name all that is wrong with it.",
    "sweep": "Run an experiment over a grid of parameters and seeds.",
    "new": "Write a first experiment file, with comments, that runs.",
    "explain": "Explain a fault, a system, a checker, a metric, ...",
    "schema": "Print the JSON Schema of experiment files.",
    "bench": "Measure splitbrain itself on this machine.",
}

INTERRUPTED = 130


class Commands(click.Group):
    """A group that imports a command when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group.list_commands`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group.get_command`."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group.resolve_command`; an unknown command is told which come near."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1) or list(COMMANDS)
            raise click.UsageError(f"no command {args[0]!r}; did you mean {' or '.join(near)}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Group.format_commands`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(HELP.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="splitbrain")
def cli() -> None:
    """Run distributed systems, break them on a schedule, and measure what happens."""


def main() -> None:
    """The console script. Exits 0 if all that was asked for holds, 1 if not, 2, 3 or 130 as `output` says."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
