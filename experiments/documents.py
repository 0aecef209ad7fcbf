"""Documents that are made from the code: docs/metrics.md from METRICS, docs/file-format.md from the models.

`python -m experiments.documents` writes them; a test fails when they are older than the code.
"""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from actors.systems import SYSTEMS
from chaos.faults import FAULTS
from experiments import glossary
from experiments.metrics import METRICS
from experiments.spec.models import ClaimFile, ClusterFile, ExperimentFile
from experiments.spec.points import FIXED
from experiments.spec.schedule import MORE_STEP_KEYS, STEP_KEYS
from experiments.workloads import WORKLOADS

DOCS = Path(__file__).parents[1] / "docs"

EXAMPLES = {
    "name": "raft-under-partition",
    "description": "A leader cut off from its majority steps down.",
    "cluster": "{nodes: 5}",
    "system": "{raft: {election_timeout: 1s..2s}}",
    "workload": "{register: {clients: 10, rate: 200/s}}",
    "duration": "60s",
    "warm_up": "5s",
    "seed": "7",
    "repeat": "5",
    "chaos": "[{at: 10s, partition: {isolate: leader}, for: 5s}]",
    "check": "[linearizable, raft-safety]",
    "expect": '["availability >= 95%"]',
    "record": "history",
    "claim": '[{id: C1, says: "a median of 3 ms", metric: latency_p50_ms, figure: 3ms}]',
    "nodes": "5",
    "regions": "{us-east-1: 2, eu-west-1: 1}",
    "latency": "aws-2025",
    "inside_region": "0.5ms",
    "fsync": "5ms",
    "disk_throughput": "200MB/s",
    "cpu": "{message: 50us, byte: 5ns}",
    "bandwidth": "1Gbit/s",
    "density": "4",
    "at": "10s",
    "every": "20s",
    "for": "5s",
}


def metrics_md() -> str:
    """The table of all metrics."""
    lines = [
        "# Metrics",
        "",
        "Made from `METRICS` in `experiments/metrics.py` by `make docs`; `splitbrain list metrics` prints the same.",
        "",
        "A metric with labels also comes for each client region, each function (`op`) and each pair of both, such as",
        "`latency_p99_ms[region=eu-west-1,op=write]`. A metric without data is left out of a run; an expectation on it",
        "is unknown. Operations that were meant to start before the end of `warm_up` count nowhere but in verdicts.",
        "",
        "| metric | unit | what it is | labels | better | least that matters |",
        "|---|---|---|---|---|---|",
    ]
    for name, metric in METRICS.items():
        least = f"{metric.least:.3g}" if metric.least_is == "absolute" else f"{metric.least:.1%}"
        cells = (f"`{name}`", metric.unit, metric.formula, ", ".join(metric.labels), metric.better)
        lines.append(f"| {' | '.join(cells)} | {least if metric.least else ''} |")
    return "\n".join(lines) + "\n"


def file_format_md() -> str:
    """The file, key by key."""
    parts = [_HEAD, *_table(ExperimentFile), "", "## cluster", "", *_table(ClusterFile)]
    parts += ["", "## chaos: when", "", *_steps(), "", "Each step names one of these faults besides.", ""]
    for title, table in (("Faults", FAULTS), ("Workloads", WORKLOADS)):
        parts += [f"## {title}", ""]
        for name, kind in table.items():
            parts += _settings(name, kind)
    parts += ["## Systems", ""]
    for name, actor in SYSTEMS.items():
        parts += _settings(name, actor.settings_type)
    parts += [
        "## claim",
        "",
        _CLAIM,
        "",
        *_table(ClaimFile),
        "",
        _TAIL.format(fixed=", ".join(f"`{key}`" for key in FIXED)),
    ]
    return "\n".join(parts) + "\n"


def _table(model: type[BaseModel]) -> Iterator[str]:
    """The keys of a model."""
    yield "| key | what may stand there | default | example | |"
    yield "|---|---|---|---|---|"
    for name, field in model.model_fields.items():
        key = field.alias or name
        example = EXAMPLES.get(key, "")
        cells = (
            f"`{key}`",
            _wanted(field),
            _default(field),
            f"`{example}`" if example else "",
            field.description or "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _steps() -> Iterator[str]:
    yield "| key | what may stand there | default | example | |"
    yield "|---|---|---|---|---|"
    for name, (annotation, field) in STEP_KEYS.items():
        key = field.alias or name
        example = EXAMPLES.get(key, "")
        shown = f"`{example}`" if example else ""
        yield f"| `{key}` | {_type(annotation)} | {_default(field)} | {shown} | {field.description or ''} |"
    for key, (what, example, purpose) in MORE_STEP_KEYS.items():
        yield f"| `{key}` | {what} | none | `{example}` | {purpose} |"


def _settings(name: str, kind: Any) -> Iterator[str]:
    """One system, workload or fault with its settings."""
    yield f"### {name}"
    yield ""
    yield " ".join((kind.__doc__ or "").strip().split("\n\n")[0].split())
    yield ""
    rows = list(glossary.settings_rows(kind))
    if rows:
        yield "| key | what may stand there | default | |"
        yield "|---|---|---|---|"
        for row in rows:
            default = "must be said" if row.default == "must be said" else f"`{row.default}`"
            yield f"| `{row.key}` | {row.what} | {default} | {row.purpose} |"
        yield ""


def _wanted(field: FieldInfo) -> str:
    """What a field of the file's models takes."""
    for mark in field.metadata:
        schema = getattr(mark, "json_schema", None)
        if isinstance(schema, dict) and "description" in schema:
            return str(schema["description"])
    return _type(field.annotation)


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        for mark in annotation.__metadata__:
            schema = getattr(mark, "json_schema", None)
            if isinstance(schema, dict) and "description" in schema:
                return str(schema["description"])
        return _type(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_type(part) for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) in (list, dict):
        return "a list" if get_origin(annotation) is list else "a mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a mapping"
    names = {str: "a text", int: "a whole number", float: "a number", tuple: "a whole number, or a list of them"}
    return names.get(get_origin(annotation) or annotation, "a name and its settings, or a list of these")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be said"
    extra = field.json_schema_extra
    value = extra["default"] if isinstance(extra, dict) and "default" in extra else field.default
    return "none" if value in (None, "", []) else f"`{value}`"


_CLAIM = "What a text says, held against the median over the runs. The computed verdict must be the declared one."

_HEAD = """\
# The experiment file

Made from the models in `experiments/spec/` by `make docs`. `splitbrain schema` prints the same as a JSON Schema, so
that an editor completes files; `splitbrain new NAME` writes a first one; `splitbrain validate FILE --plan` shows what
would run.

Times, rates, sizes and shares carry their unit: `150ms`, `2s`, `200/s`, `4KiB`, `5%`. YAML is read as version 1.2 has
it: truths are `true` and `false` alone. Unknown keys are errors that name the nearest right one.

## The file
"""

_TAIL = """\
## expect

A line is a metric compared with a number or an expression, or a verdict:

    availability >= 95%
    latency_p99_ms[region=eu-west-1,op=write] <= 200ms
    linearizable is valid
    "naive: linearizable is invalid"                           # of one variant
    cured.latency_p99_ms <= 0.2 * naive.latency_p99_ms         # each pair of runs of the same seed
    availability >= 99% in 90% of runs

It holds in every run (of its variant) unless it says otherwise. Sums, differences, products, quotients and brackets are
read; units are checked. A checker that a line names is judged by that line alone; every other one under `check` must be
valid. An expectation without data is unknown, which is not ok.

## variants, matrix, extends, seeds

    variants:                       # the same seeds, one after another
      naive: {{system.raft.batch: 1}} # dotted paths, or nested mappings
      batched: {{}}
    matrix:                         # every combination
      cluster.fsync: [0ms, 5ms]
    extends: base.yaml              # this file is laid over that one

Mappings merge, lists and scalars replace; `system` is replaced whole when its name changes. A variant or a matrix can't
change {fixed}, which are the whole file's. `--set path=value` does the same from the command line, before all others;
`splitbrain sweep --over path=a,b,c` spans a grid over a file from outside."""


def main() -> None:
    """Write all documents."""
    DOCS.mkdir(exist_ok=True)
    for name, text in documents().items():
        (DOCS / name).write_text(text)


def documents() -> dict[str, str]:
    """File name -> what should stand in it."""
    return {"metrics.md": metrics_md(), "file-format.md": file_format_md()}


if __name__ == "__main__":
    main()
