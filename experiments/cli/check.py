"""`splitbrain check`: judge a recorded run again, or a history that anybody recorded."""

import json
import os
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from rich.console import Console

from experiments.checkers import foreign
from experiments.checkers.columns import Columns, columns_of
from experiments.checkers.foreign import UNSAID, Options
from experiments.checkers.linearizable.models import MODELS
from experiments.checkers.picture import svg_picture
from experiments.checkers.verdict import Verdict
from experiments.cli.output import NOT_OK, OK, Answer, answering, store_option
from experiments.cli.run_view import print_broken, verdicts_table, word
from experiments.formats import FORMATS, HistoryError, read_history
from experiments.formats.values import freeze
from experiments.judge import judge_run
from experiments.request import BadRequest
from experiments.store import StoreError, find_run, load_recording

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|min|h)?")
UNITS_S = {None: 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
SHOWN_SKIPS = 5


@click.command
@click.argument("target", metavar="RUN|FILE")
@click.option("--model", metavar="MODEL", help="What the history is held against: a name, or file.py:ClassName.")
@click.option("--format", "format_name", metavar="|".join(FORMATS), help="The file's format; default: by content.")
@click.option("--initial", metavar="VALUE", help="What an object holds at first, as JSON or a text. Default: nothing.")
@click.option("--failed", metavar="dropped|observed", help="Whether a failed compare tells of the state.")
@click.option("--timeout", metavar="TIME", default="60s", show_default=True, help="Give up after this long.")
@click.option("--independent/--not-independent", default=None, help="Whether values are [key value].")
@click.option("--lenient", is_flag=True, help="Leave out lines that can't be read, and count them.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw what is wrong into this file.")
@store_option
@answering
def check(target: str, store: Path, svg: Path | None, **asked: Any) -> Answer:
    """Judge a recorded run again, or the history in a file.

    RUN is a folder, an id, a unique prefix, @last or @last~1; a run that was cut off is judged by what it recorded.
    FILE is a history in JSON Lines, EDN or a Jepsen log; it needs a --model.
    """
    path = Path(target)
    is_file = os.path.isfile(path) and path.name != "plan.json"
    if is_file or asked["model"] is not None:
        return _judge_history(target, _File(path, asked) if is_file else _Run(target, store), svg, asked)
    for option in ("format_name", "initial", "failed", "independent"):
        if asked[option] is not None:
            raise BadRequest(f"--{option.removesuffix('_name')} goes with the history in a file; {target} is a run")
    return _judge_run(target, store)


def _judge_history(target: str, source: "_File | _Run", svg: Path | None, asked: dict[str, Any]) -> Answer:
    """Hold a history against a model."""
    model = asked["model"]
    if model is None:
        raise BadRequest(f"{target} is a file: say what it is to be held against, --model {'|'.join(models())}")
    initial = UNSAID if asked["initial"] is None else value_of(asked["initial"])
    options = Options(initial=initial, timeout_s=seconds(asked["timeout"]))
    began = time.perf_counter()
    history, skipped, options = source.read(options)
    read_s = round(time.perf_counter() - began, 3)
    verdict = _judged(history, model, options, target)
    wall_s = round(time.perf_counter() - began, 3)
    if svg is not None:
        _draw(svg, verdict, f"{target}: {model}")
    document = foreign.document(verdict, model, operations=len(history), wall_s=wall_s)
    document |= {"read_s": read_s} | notes_of(skipped)
    code = OK if verdict.valid is True else NOT_OK
    return Answer(document, lambda out: _view(out, target, document, verdict, skipped), code)


def _judged(history: Columns, model: str, options: Options, target: str) -> Verdict:
    """The verdict. Raises BadRequest if the model can't judge this, for a reason of the user's."""
    try:
        return foreign.judge(history, model, options)
    except ValueError as error:
        raise BadRequest(f"{target}: {error}") from error
    except Exception as error:
        if ".py:" not in model:
            raise
        raise BadRequest(f"{model}: it fails on this history with {type(error).__name__}: {error}") from error


class _File(NamedTuple):
    """A history that somebody recorded."""

    path: Path
    asked: dict[str, Any]

    def read(self, options: Options) -> "tuple[Columns, Skipped, Options]":
        history, skipped = _read(self.path, self.asked)
        return history, skipped, options


class _Run(NamedTuple):
    """A run of ours, whose clocks have a bound and whose nodes have names."""

    target: str
    store: Path

    def read(self, options: Options) -> "tuple[Columns, Skipped, Options]":
        recording = _run_of(self.target, self.store)
        options = options._replace(clock_bound_ns=recording.clock_bound_ns, name=recording.topology.name)
        return columns_of(recording.history), Skipped([], 0), options


def models() -> list[str]:
    """All that `--model` can name."""
    return sorted([*MODELS, *foreign.INVARIANTS])


def _read(path: Path, asked: dict[str, Any]) -> "tuple[Columns, Skipped]":
    """The history in a file, and what was left out of it. Raises BadRequest."""
    for option, allowed in (("format_name", FORMATS), ("failed", ("dropped", "observed"))):
        if asked[option] is not None and asked[option] not in allowed:
            name = option.removesuffix("_name")
            raise BadRequest(f"--{name} {asked[option]}: there is {', '.join(allowed)}")
    try:
        read = read_history(
            path,
            format_name=asked["format_name"],
            lenient=asked["lenient"],
            failed=asked["failed"],
            independent=asked["independent"],
        )
    except HistoryError as error:
        raise BadRequest(error.at(str(path))) from error
    except OSError as error:
        raise BadRequest(f"{path} can't be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise BadRequest(f"{path} needs more memory than there is") from error
    return read.history, Skipped(read.skipped, read.skipped_count)


class Skipped(list[HistoryError]):
    """Lines left out: the first of them, and how many in all."""

    def __init__(self, errors: list[HistoryError], count: int) -> None:
        super().__init__(errors)
        self.in_all = count


def notes_of(skipped: Skipped) -> dict[str, Any]:
    """What `--json` says of lines left out; nothing if there are none."""
    if not skipped:
        return {}
    first = [{"line": error.line, "message": error.message} for error in skipped[:SHOWN_SKIPS]]
    return {"skipped": skipped.in_all, "skipped_first": first}


def _run_of(target: str, store: Path) -> Any:
    try:
        return load_recording(find_run(store, target).path)
    except StoreError as error:
        if Path(target).suffix and not os.path.exists(target):
            raise BadRequest(f"there is no file {target}, and {error}") from error
        raise


def _draw(path: Path, verdict: Verdict, title: str) -> None:
    """The first anomaly as a picture. Raises BadRequest if the file can't be written."""
    found = verdict.evidence.get("anomalies", [])
    first = found[0] if isinstance(found, list) and found else None
    drawn = (
        svg_picture(first["window"], first["operation"]["operation"], title=title)
        if first
        else svg_picture([], title=title)
    )
    try:
        path.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path} can't be written: {error.strerror or error}") from error


def _view(out: Console, target: str, document: dict[str, Any], verdict: Verdict, skipped: Skipped) -> None:
    """What a person reads of a judged history."""
    out.print(f"{target}: {document['model']} ", word(verdict.valid), sep="", soft_wrap=True)
    out.print(f"{document['ops']:,} operations, {document['keys']:,} keys, {document['wall_s']:.2f} s", soft_wrap=True)
    out.print(document["method"], soft_wrap=True)
    left_out = notes_of(skipped)
    if left_out:
        out.print(f"{left_out['skipped']:,} lines left out; the first: {skipped[0].at(target)}", soft_wrap=True)
    if verdict.reason:
        out.print()
        out.print(verdict.reason, soft_wrap=True)
    found = verdict.evidence.get("anomalies")
    if isinstance(found, list) and found:
        out.print()
        out.print(found[0]["picture"], soft_wrap=True)
    for name, cases in found.items() if isinstance(found, dict) else ():
        out.print(f"  {name}: {len(cases):,}" if isinstance(cases, list) else f"  {name}: {cases}", soft_wrap=True)


def value_of(text: str) -> Any:
    """A value of the command line: as JSON if it is that, else the text itself; `nil` is nothing."""
    if text == "nil":
        return None
    try:
        return freeze(json.loads(text))
    except (ValueError, RecursionError):
        return text


def seconds(text: str) -> float:
    """A time in seconds: `30`, `30s`, `500ms`, `2m`. Raises BadRequest."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise BadRequest(f"--timeout {text}: write a time such as 30s, 500ms or 2m")
    return float(found[1]) * UNITS_S[found[2]]


def _judge_run(run: str, store: Path) -> Answer:
    """Judge a run by its own plan."""
    try:
        stored = find_run(store, run)
    except StoreError as error:
        if Path(run).suffix and not os.path.exists(run):
            raise BadRequest(f"there is no file {run}, and {error}") from error
        raise
    judged = judge_run(
        stored.plan,
        load_recording(stored.path),
        too_small=stored.summary is not None and stored.summary.too_small,
    )

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
