"""A sweep: a grid over an experiment's parameters, resumable, with one table and one Parquet file at its end."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from experiments.batch import Batch, Ended, run_batch
from experiments.execute import Finished
from experiments.plan import Plan, encode
from experiments.request import BadRequest
from experiments.spec import load_spec
from experiments.spec.load import MAX_RUNS
from experiments.spec.points import MAX_POINTS
from experiments.store import StoreError, Summary, runs
from experiments.store.folder import write_atomically
from experiments.store.tables import write_rows
from experiments.unfold import unfold

KEY_METRICS = ("availability", "throughput_ops_s", "latency_p50_ms", "latency_p99_ms", "recovery_max_ms")


class Axis(NamedTuple):
    """A dotted path and the values that it takes, as a file would write them."""

    path: str
    values: tuple[str, ...]


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """All plans of a grid. The name is made from them, so that the same sweep goes on where it stopped."""

    name: str
    plans: tuple[Plan, ...]
    source: bytes


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a sweep: its place in the grid and what came of it."""

    plan: Plan
    summary: Summary | None
    lost: str | None = None  # why it has no summary


def axis_of(text: str) -> Axis:
    """Read `path=a,b,c`; commas in brackets belong to a value. Raises BadRequest."""
    path, equals, listed = text.partition("=")
    values = tuple(value.strip() for value in _split(listed))
    if not equals or not path or not all(values):
        raise BadRequest(f"--over {text}: write it as path=a,b,c, such as system.raft.batch=1,16,128")
    if len(set(values)) < len(values):
        raise BadRequest(f"--over {text}: a value stands twice")
    return Axis(path, values)


def plan_sweep(path: Path, axes: Sequence[Axis], *, sets: Mapping[str, str], fabric: str) -> Sweep:
    """Validate the file at every point of the grid and unfold it.

    Raises: InvalidFile, BadRequest.
    """
    count = math.prod(len(axis.values) for axis in axes)
    if count > MAX_POINTS:
        raise BadRequest(f"the grid has {count:,} points; {MAX_POINTS:,} are allowed")
    if len({axis.path for axis in axes}) < len(axes):
        raise BadRequest("two --over name the same path; list all of its values behind one: path=a,b,c")
    plans: list[Plan] = []
    for number, values in enumerate(product(*(axis.values for axis in axes)), start=1):
        place = {axis.path: value for axis, value in zip(axes, values, strict=True)}
        for plan in unfold(load_spec(path, {**sets, **place}), fabric=fabric):
            plans.append(msgspec.structs.replace(plan, matrix={**plan.matrix, **place}))
        in_all = len(plans) * count // number  # told by the first point, for each makes about as many
        if in_all > MAX_RUNS:
            raise BadRequest(f"the grid makes {in_all:,} runs; {MAX_RUNS:,} are allowed")
    digest = blake2b(b"".join(map(encode, plans)), digest_size=4).hexdigest()
    return Sweep(name=f"s{digest}", plans=tuple(plans), source=path.read_bytes())


def run_sweep(sweep: Sweep, store: Path, *, address: str | None, told: Callable[[int, int, Row], None]) -> list[Row]:
    """Run what no earlier try has finished. A point that fails is a row without a summary, and loses no other.

    Args:
        told: called with (rows so far, rows in all, the newest row).
    """
    rows = dict(_finished_before(sweep, store))
    left = [place for place in range(len(sweep.plans)) if place not in rows]
    batch = Batch(
        plans=[sweep.plans[place] for place in left],
        store=store,
        group=sweep.name,
        source=sweep.source,
        address=address,
        keep_going=True,
    )
    for number, ended in run_batch(batch, lambda *_: None) if left else ():
        place = left[number]
        rows[place] = _row(sweep.plans[place], ended)
        told(len(rows), len(sweep.plans), rows[place])
        if isinstance(ended, Finished) and ended.summary.interrupted:
            raise KeyboardInterrupt
    return [rows[place] for place in range(len(sweep.plans))]


def write_parquet(sweep: Sweep, rows: Sequence[Row], store: Path) -> Path:
    """One row a run: where it stands in the grid, whether it is ok, and all its metrics. Returns the file."""
    path = (store / f"{sweep.name}.parquet").absolute()
    write_rows(path, [_flat(row) for row in rows])
    return path


def write_plan(sweep: Sweep, store: Path) -> None:
    """Keep what is swept beside the runs, so that a reader of the Parquet file can repeat it."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        write_atomically(store / f"{sweep.name}.yaml", sweep.source)
    except OSError as error:
        raise StoreError(f"{store} can't be written to: {error.strerror or error}") from error


class PointRow(NamedTuple):
    """One point of the grid, over its runs."""

    place: dict[str, str]
    runs: int
    ok: int
    medians: dict[str, float]  # of the metrics asked for, over the runs that have them


def summarised(rows: Sequence[Row], metrics: Sequence[str]) -> Iterator[PointRow]:
    """One row for each point of the grid."""
    by_point: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in rows:
        by_point.setdefault(tuple(place_of(row.plan).items()), []).append(row)
    for place, together in by_point.items():
        done = [row.summary for row in together if row.summary is not None]
        medians = {}
        for name in metrics:
            values = [summary.metrics[name] for summary in done if name in summary.metrics]
            if values:
                medians[name] = median(values)
        yield PointRow(dict(place), len(together), sum(summary.ok for summary in done), medians)


def place_of(plan: Plan) -> dict[str, str]:
    """A run's place in the grid: its variant, and the values on each axis."""
    place = {"variant": plan.variant} if plan.variant else {}
    return place | {path: str(value) for path, value in plan.matrix.items()}


def _finished_before(sweep: Sweep, store: Path) -> Iterator[tuple[int, Row]]:
    """Rows whose runs stand complete in the store."""
    places = {encode(plan): place for place, plan in enumerate(sweep.plans)}
    for run in runs(store):
        if run.origin.group == sweep.name and run.state == "complete":
            place = places.get(encode(run.plan))
            if place is not None:
                yield place, Row(plan=run.plan, summary=run.summary)


def _row(plan: Plan, ended: Ended | Finished | Exception) -> Row:
    if isinstance(ended, Finished):
        return Row(plan=plan, summary=ended.summary, lost=ended.summary.failed)
    return Row(plan=plan, summary=None, lost=str(ended) or type(ended).__name__)


def _flat(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {"seed": row.plan.seed, "fabric": row.plan.fabric, **place_of(row.plan)}
    summary = row.summary
    flat |= {"run": summary.run if summary else None, "ok": summary.ok if summary else None, "lost": row.lost}
    return flat | (summary.metrics if summary else {})


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket."""
    depth, part = 0, ""
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and not depth:
            yield part
            part = ""
        else:
            part += sign
    yield part
