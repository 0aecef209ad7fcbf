"""`splitbrain explain`: what a term means, from the code's own docstrings."""

from typing import Any

import click
from rich.console import Console

from experiments import glossary
from experiments.cli.output import Answer, answering, plain_table
from experiments.near_words import did_you_mean
from experiments.request import BadRequest


@click.command
@click.argument("term")
@answering
def explain(term: str) -> Answer:
    """Explain a fault, a system, a checker, an anomaly, a metric, a workload, a profile, a mutant or a target.

    \b
    splitbrain explain partition
    splitbrain explain latency_p99_ms
    splitbrain explain linearizable
    """
    found = glossary.find(term)
    if not found:
        raise BadRequest(f"nothing is called {term!r}; {did_you_mean(term, glossary.names())}")

    def view(out: Console) -> None:
        for one in found:
            out.print(f"{one.name} ({one.kind})", style="bold")
            out.print()
            out.print(one.paragraph, soft_wrap=True)
            if one.settings is not None and one.settings.__struct_fields__:
                out.print()
                table = plain_table("setting", "what", "default", "")
                for row in glossary.settings_rows(one.settings):
                    table.add_row(*row)
                out.print(table)
            out.print()
        for path in glossary.shown_by(term):
            out.print(f"see it: splitbrain run {path}", soft_wrap=True)

    return Answer({"terms": [document(one) for one in found], "shown_by": glossary.shown_by(term)}, view)


def document(term: glossary.Term) -> dict[str, Any]:
    """A term for programs."""
    found: dict[str, Any] = {"kind": term.kind, "name": term.name, "line": term.line, "paragraph": term.paragraph}
    if term.settings is not None:
        found["settings"] = [row._asdict() for row in glossary.settings_rows(term.settings)]
    return found
