"""Staleness by age, beside what PBS predicts of the same reads from the round trips that the run itself had.

The age of a read is the time from the return of its key's last acknowledged put to the read's invoke. A store that
tells its replicas' round trips (`trace_trips`), on as many servers as it has replicas, gets both curves.
"""

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from actors.history import Operation
from actors.protocols.dynamo_messages import Configured
from experiments import pbs
from experiments.metrics.sample import Metric
from experiments.recording import Recording
from experiments.replication import trips_by_link

EDGES_MS = (0, 10, 20, 40, 80, 160)  # of the ages; reads older than the last one are left out
MS = 1e6


class AgedRead(NamedTuple):
    """A read, how old the last acknowledged write was, and whether it was missed."""

    age_ns: int
    stale: bool


def aged_reads(history: list[Operation]) -> list[AgedRead]:
    """Every get that has a last acknowledged put which no other write had begun to take the place of by its end."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        by_key[operation.key].append(operation)
    return [read for key in sorted(by_key) for read in _of_key(by_key[key])]


def _of_key(operations: list[Operation]) -> list[AgedRead]:
    puts = [one for one in operations if one.function == "put" and one.outcome == "ok"]
    gets = [one for one in operations if one.function == "get" and one.outcome == "ok"]
    covered: dict[object, int] = {}
    for write in operations:
        if write.function in ("put", "delete") and write.outcome != "fail" and isinstance(write.value, tuple):
            for value in write.value[1:]:
                covered[value] = min(write.invoke_ns, covered.get(value, write.invoke_ns))
    puts.sort(key=lambda one: one.return_ns or 0)
    returns = np.array([one.return_ns for one in puts], dtype=np.int64)
    found = []
    for get in gets:
        place = int(np.searchsorted(returns, get.invoke_ns)) - 1
        if place < 0:
            continue
        assert isinstance(puts[place].value, tuple)
        value = puts[place].value[0]  # type: ignore[index]
        if covered.get(value, get.return_ns or 0) < (get.return_ns or 0):
            continue
        shown = get.result if isinstance(get.result, tuple) else ()
        found.append(AgedRead(get.invoke_ns - int(returns[place]), value not in shown))
    return found


def staleness_by_age(recording: Recording) -> dict[str, float | None]:
    """Both curves, as labelled metrics; nothing for a run that tells no trips."""
    told = next((one.event for one in recording.events if isinstance(one.event, Configured)), None)
    links = trips_by_link(recording.events)
    n = recording.topology.server_count
    if told is None or told.n != n or len(links) < n * (n - 1):
        return {}
    delays_ns = {link: pbs.one_way_ns(links[link]) for link in sorted(links)}
    near = len(set(recording.topology.regions)) > 1  # then a client's coordinator is in its region: next to no trip
    client_ns = np.zeros(1) if near else np.concatenate(list(delays_ns.values()))
    ends_ns = pbs.staleness_ends_ns(delays_ns, pbs.Quorum(told.n, told.r, told.w), client_ns=client_ns)
    reads = aged_reads(recording.history)
    figures: dict[str, float | None] = {}
    for low, high in pairwise(EDGES_MS):
        inside = [read for read in reads if low * MS <= read.age_ns < high * MS]
        label = f"[age={low}-{high}ms]"
        figures[f"stale_share{label}"] = sum(read.stale for read in inside) / len(inside) if inside else None
        ages = np.array([read.age_ns for read in inside], dtype=np.float64)
        figures[f"pbs_stale_share{label}"] = pbs.stale_share(ends_ns, ages) if inside else None
    return figures


def _overall(recording: Recording, name: str) -> float | None:
    """The figure of the first bin: reads that follow a write at once."""
    return staleness_by_age(recording).get(f"{name}[age={EDGES_MS[0]}-{EDGES_MS[1]}ms]")


STALENESS = (
    Metric(
        "stale_share",
        "share",
        f"gets that miss their key's last acknowledged put, of those sent less than {EDGES_MS[1]} ms after its return; "
        "by age with a label",
        lambda sample: _overall(sample.recording, "stale_share"),
        "lower",
        0.01,
        "absolute",
        labels=("age",),
    ),
    Metric(
        "pbs_stale_share",
        "share",
        "what PBS predicts of the same gets, by Monte Carlo over the run's own round trips",
        lambda sample: _overall(sample.recording, "pbs_stale_share"),
        labels=("age",),
    ),
)
