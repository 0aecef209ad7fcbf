"""What all commands share: `--json`, errors and exit codes.

With `--json` one document goes to standard output and nothing else, whatever libraries and child processes print.
Errors in what was given, in the store and in the fabric become a message and an exit code; a bug keeps its traceback.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.table import Table

from cluster.fabric import FabricError
from experiments.request import BadRequest
from experiments.spec import InvalidFile, Problem
from experiments.store import StoreError

OK, NOT_OK, BAD_INPUT, FABRIC_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
STORE_VARIABLE = "SPLITBRAIN_STORE"
WIDTH = 120  # of tables that no terminal shows


class Answer(NamedTuple):
    """What a command has to say: a document for programs, a view for people, and its exit code."""

    document: dict[str, Any]
    view: Callable[[Console], None]
    code: int = OK


Command = Callable[..., Answer]


def answering(command: Command) -> Callable[..., None]:
    """Make a function that returns an `Answer` the body of a click command, with `--json` added."""

    @wraps(command)
    def body(*, as_json: bool, **options: Any) -> None:
        with _nothing_but_the_document() if as_json else _as_it_is():
            answer = _answer(command, options)
        if as_json:
            sys.stdout.write(to_text(answer.document))
            sys.stdout.flush()
        else:
            answer.view(console(sys.stdout))
        sys.exit(answer.code)

    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else.")(body)


def store_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--store`: where runs are kept."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        default="runs",
        envvar=STORE_VARIABLE,
        show_default=True,
        show_envvar=True,
        help="The folder that holds the runs.",
    )(command)


def console(stream: Any) -> Console:
    """A rich console that takes texts as they are: no markup, no emoji, no colours where no terminal is."""
    width = None if stream.isatty() else WIDTH
    return Console(file=stream, markup=False, emoji=False, highlight=False, width=width)


def plain_table(*columns: str, right: int | None = None) -> Table:
    """A table without lines; columns from `right` on hold figures."""
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in table.columns[right:] if right is not None else ():
        column.justify = "right"
    return table


def to_text(document: Any) -> str:
    """A document as JSON, in ASCII, for it must pass through any terminal; what is no number becomes null."""
    return json.dumps(msgspec.json.decode(msgspec.json.encode(document)), indent=2) + "\n"


def _answer(command: Command, options: dict[str, Any]) -> Answer:
    """Run a command; what it may raise becomes its answer."""
    try:
        return command(**options)
    except InvalidFile as error:
        return refusal([text(problem) for problem in error.problems], problems=error.problems)
    except (BadRequest, StoreError) as error:
        return refusal([str(error)])
    except FabricError as error:
        return refusal([f"the fabric failed: {error}"], code=FABRIC_FAILED)
    except KeyboardInterrupt:
        return refusal(["interrupted"], code=INTERRUPTED)


def refusal(messages: Sequence[str], *, problems: Sequence[Problem] = (), code: int = BAD_INPUT) -> Answer:
    """The answer to what can't be done; the messages go to standard error at once."""
    messages = [message.encode("utf-8", "backslashreplace").decode() for message in messages]
    for message in messages:
        click.echo(message, err=True)
    return Answer({"error": "\n".join(messages), "problems": msgspec.to_builtins(list(problems))}, _silent, code)


def text(problem: Problem) -> str:
    """A problem as editors and compilers write it: `file:line: path: message`."""
    where = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return ": ".join(str(part) for part in (where, problem.path, problem.message) if part)


def _silent(_: Console) -> None:
    """The view of an answer that was told on standard error."""


@contextmanager
def _nothing_but_the_document() -> Iterator[None]:
    """Send all that is printed meanwhile to standard error, by this process and by those that it starts."""
    printed, sys.stdout = sys.stdout, sys.stderr
    printed.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout = printed
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
