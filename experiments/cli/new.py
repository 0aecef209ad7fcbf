"""`splitbrain new`: a first experiment file, with comments, that runs."""

import re
from pathlib import Path

import click
from rich.console import Console

from experiments.cli.output import Answer, answering
from experiments.request import BadRequest
from experiments.spec.document import scalar

TEMPLATE = """\
# Run it:      splitbrain run {file}
# On Ray:      splitbrain run {file} --fabric ray
# Check it:    splitbrain validate {file} --plan
# Look it up:  splitbrain list faults | systems | workloads | checkers | metrics; splitbrain explain partition
name: {name}
description: A leader is cut off from the others; they elect a new one, and no acknowledged write is lost.

cluster:
  regions: {{us-east-1: 2, eu-west-1: 2, ap-southeast-1: 1}} # servers by region; or nodes: 5
  latency: aws-2025 # measured round trips; splitbrain list profiles

system:
  raft: {{election_timeout: 1s..2s}} # well above the longest round trip

workload:
  register: # single keys that are read, written, compared and set
    clients: 20 # dealt to the regions
    rate: 50/s # of all clients together; leave it out and each sends when its last operation ended
    keys: 8
    mix: {{read: 50%, write: 40%, cas: 10%}}

duration: 20s
warm_up: 4s # the first election; left out of the metrics
seed: 1 # the same seed gives the same run on the simulator, bit for bit
repeat: 3 # with seeds 1, 2, 3

chaos: # what is broken, and when
  - {{at: 6s, partition: {{isolate: leader}}, for: 5s}}
  - {{at: 14s, crash: {{nodes: random}}, for: 3s}}

check: [linearizable, raft-safety] # what must find the run valid

expect: # what else must hold, in every run
  - availability >= 50%
  - leaders_per_term_max == 1
  - recovery_max_ms <= 10s in 90% of runs
"""


def _written(name: str) -> str:
    """A name as YAML takes it for a text: 123 and null are none without quotes."""
    return name if scalar(name) == name else f'"{name}"'


@click.command
@click.argument("name")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@answering
def new(name: str, force: bool) -> Answer:
    """Write a first experiment file NAME.yaml, with comments, that runs."""
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", path.stem):
        raise BadRequest(f"{path.stem!r} is no name for an experiment; use letters, digits, dots and dashes")
    if path.exists() and not force:
        raise BadRequest(f"{path} is there already; choose another name, or replace it with --force")
    try:
        path.write_text(TEMPLATE.format(name=_written(path.stem), file=path))
    except OSError as error:
        raise BadRequest(f"{path} can't be written: {error.strerror or error}") from error

    def view(out: Console) -> None:
        out.print(f"{path} is written; run it: splitbrain run {path}", soft_wrap=True)

    return Answer({"file": str(path)}, view)
