"""`splitbrain bench`: figures of splitbrain itself on this machine."""

import sys
from importlib import import_module
from importlib.util import find_spec

import click
from rich.console import Console

from benchmarks import BENCHES, SCALES, WITH_PEERS
from experiments.cli.output import Answer, answering, console, plain_table
from experiments.request import BadRequest
from experiments.store.origin import machine


@click.command
@click.argument("name", metavar="|".join(BENCHES))
@click.option("--scale", is_flag=True, help="Measure how the cost grows with size instead.")
@click.option("--peers", is_flag=True, help="Measure other implementations in the same run (raft, ray: PySyncObj).")
@answering
def bench(name: str, *, scale: bool, peers: bool) -> Answer:
    """Measure splitbrain itself on this machine; ratios are to a bare counterpart measured in the same run."""
    if name not in BENCHES:
        raise BadRequest(f"no benchmark {name!r}; there are {', '.join(BENCHES)}")
    if scale and name not in SCALES:
        raise BadRequest(f"bench {name} has no --scale; {', '.join(SCALES)} has")
    stderr = console(sys.stderr)
    if peers and name not in WITH_PEERS:
        raise BadRequest(f"nothing is measured beside {name!r}; --peers goes with {', '.join(WITH_PEERS)}")
    if peers and find_spec(WITH_PEERS[name]) is None:
        raise BadRequest(f"{WITH_PEERS[name]} is not installed: pip install 'splitbrain[bench]'")
    module, _, function = (SCALES if scale else BENCHES)[name].partition(":")
    options = {"peers": True} if peers else {}
    figures = getattr(import_module(module), function)(lambda line: stderr.print(str(line), soft_wrap=True), **options)

    def view(out: Console) -> None:
        table = plain_table("figure", name, right=1)
        for figure, value in figures.items():
            table.add_row(figure, f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")
        out.print(table)

    return Answer({"bench": name, "figures": figures, "machine": machine()}, view)
