"""`splitbrain run`: run an experiment file or a resolved plan, record and judge it."""

import contextlib
import signal
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.text import Text

from cluster.fabric import FabricError
from experiments.batch import Batch, is_last_word, run_batch
from experiments.claims import judge_claims
from experiments.cli.group_view import group_view
from experiments.cli.output import (
    FABRIC_FAILED,
    INTERRUPTED,
    NOT_OK,
    OK,
    Answer,
    answering,
    console,
    store_option,
)
from experiments.cli.progress import Watch
from experiments.cli.run_view import print_claims, run_view
from experiments.execute import Finished, new_group
from experiments.judge import judge_group
from experiments.plan import Plan
from experiments.request import BadRequest, Changes, Wanted, plans_of
from experiments.twice import run_twice


@click.command
@click.argument("file")
@click.option("--fabric", type=click.Choice(["sim", "ray"]), help="Where to run it; sim if nothing says otherwise.")
@click.option("--seed", type=click.IntRange(min=0), help="The first run's seed.")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Set one value, as the file would.")
@click.option("--repeat", type=click.IntRange(min=1), help="How many runs, with seeds that count up.")
@click.option("--duration", metavar="TIME", help="How long a run takes, such as 30s.")
@click.option("--variant", help="Run this variant only.")
@click.option("--address", help="A running Ray cluster's address; `local` starts Ray, and makes simulations its tasks.")
@click.option("--twice", is_flag=True, help="Run each again in two fresh processes, and tell where they part.")
@store_option
@answering
def run(file: str, store: Path, *, address: str | None, twice: bool, **changes: Any) -> Answer:
    """Run an experiment, record it and judge it.

    FILE is an experiment file, a run's plan.json or the name of a run; a plan is repeated exactly.

    \b
    splitbrain run experiments/catalog/leader-election.yaml
    splitbrain run FILE --fabric ray --seed 7 --set system.raft.batch=1
    splitbrain run @last --json
    """
    wanted = plans_of(file, store, Changes(**changes))
    if twice and any(plan.fabric != "sim" for plan in wanted.plans):
        raise BadRequest("--twice compares runs bit for bit, which only the simulator repeats; take --fabric sim")
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell starts us with interrupts ignored
        signal.signal(number, signal.default_int_handler)
    group = new_group()
    finished = run_all(wanted, store, group=group, address=address)
    answered = answer(finished, group, total=len(wanted.plans))
    return and_twice(answered, wanted.plans) if twice and answered.code in (OK, NOT_OK) else answered


def run_all(wanted: Wanted, store: Path, *, group: str, address: str | None) -> list[Finished]:
    """Run plan after plan, up to the first whose fabric fails or that is interrupted."""
    titles = [_title(plan, number, len(wanted.plans)) for number, plan in enumerate(wanted.plans, start=1)]
    batch = Batch(plans=wanted.plans, store=store, group=group, source=wanted.source, address=address)
    finished: dict[int, Finished] = {}
    with Watch(console(sys.stderr), titles) as watch, contextlib.suppress(KeyboardInterrupt):
        for place, done in run_batch(batch, watch):
            if isinstance(done, Exception):
                raise FabricError(f"run {place + 1} of {len(wanted.plans)} was lost: {done}")
            finished[place] = done
            watch.say(place, _outcome(done))
    return [finished[place] for place in sorted(finished)]


def answer(finished: list[Finished], group: str, *, total: int) -> Answer:
    """What is said of the runs of one command."""
    summaries = [done.summary for done in finished]
    whole = len(finished) == total and not any(map(is_last_word, finished))
    expected = judge_group([(done.plan, done.summary) for done in finished]) if whole else ()
    claims = judge_claims([(done.plan, done.summary) for done in finished]) if whole else ()
    ok = whole and all(summary.ok for summary in summaries) and all(line.holds is True for line in expected)
    ok = ok and all(claim.as_declared for claim in claims)
    document: dict[str, Any] = {
        "runs": [summary.contract() for summary in summaries],
        "group": group,
        "expect": msgspec.to_builtins(expected),
        "claims": msgspec.to_builtins(claims),
        "ok": ok,
    }
    code = OK if ok else NOT_OK
    failed = [summary.failed for summary in summaries if summary.failed is not None]
    if failed:
        click.echo(f"the fabric failed: {failed[0]}", err=True)
        document["error"], code = failed[0], FABRIC_FAILED
    elif not whole:
        document["error"], code = "interrupted", INTERRUPTED

    def view(out: Console) -> None:
        if total == 1:
            for done in finished:
                run_view(out, done.path, done.plan, done.summary, recording=done.recording)
        else:
            group_view(out, finished, expected=expected)
        print_claims(out, claims)
        if total > 1:
            good = sum(summary.ok for summary in summaries)
            out.print(Text(f"{good} of {total} runs ok{'' if ok or good < total else ', but not together'}"))

    return Answer(document, view, code)


def and_twice(answered: Answer, plans: list[Plan]) -> Answer:
    """The answer, with what came of running each plan twice; not ok if two runs of one plan part."""
    repeated = [run_twice(plan) for plan in plans]
    ok = answered.document["ok"] and all(twice.same for twice in repeated)
    document = {**answered.document, "twice": msgspec.to_builtins(repeated), "ok": ok}

    def view(out: Console) -> None:
        answered.view(out)
        for twice in repeated:
            out.print(twice.words())

    return Answer(document, view, OK if ok else NOT_OK)


def _title(plan: Plan, number: int, total: int) -> str:
    """How a run is called while it goes on."""
    counted = f"[{number}/{total}] " if total > 1 else ""
    variant = f" {plan.variant}" if plan.variant else ""
    return f"{counted}{plan.experiment}{variant} on {plan.fabric}, seed {plan.seed}:"


def _outcome(done: Finished) -> str:
    """How a run ended, in a few words."""
    summary = done.summary
    if summary.failed is not None:
        return f"the fabric failed; what there is lies in {done.path}"
    if summary.interrupted:
        return f"interrupted; what there is lies in {done.path}"
    return f"{'ok' if summary.ok else 'NOT OK'} after {summary.wall_s:.1f} s"
