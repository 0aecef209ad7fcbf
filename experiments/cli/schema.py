"""`splitbrain schema`: the JSON Schema of experiment files, for editors that complete and check them."""

import click
from rich.console import Console

from experiments.cli.output import Answer, answering, to_text
from experiments.spec.schema import json_schema


@click.command
@answering
def schema() -> Answer:
    """Print the JSON Schema of experiment files.

    Save it, and let a file's first line name it, so that editors with a YAML language server complete the file:

    \b
    splitbrain schema > splitbrain.schema.json
    # yaml-language-server: $schema=splitbrain.schema.json
    """
    document = json_schema()

    def view(out: Console) -> None:
        out.file.write(to_text(document))

    return Answer(document, view)
