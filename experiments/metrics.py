"""All metrics of a run, in one table. To add one: its row in METRICS.

Metrics with the labels region and op are also given for each client region, each function, and each pair of them:
`latency_p99_ms[region=eu-west-1,op=write]`. A metric without data is None.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from actors.errors import ERRORS
from actors.history import Operation, Retried
from actors.message import NodeId
from actors.protocols.raft_messages import Committed
from experiments import replication
from experiments.checkers.siblings import Judged
from experiments.leadership import Belief, beliefs, overlap_ns, reelections_ns
from experiments.percentiles import percentile, sorted_ns
from experiments.recording import Observed, Recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MS = 1e6  # ns
SECOND = 1e9  # ns
P99_NEEDS = 100  # operations; with fewer the 99th percentile is the greatest value
P99_9_NEEDS = 1_000


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took from a fault's injection to the first ok of an operation that began after it."""

    number: int
    fault: str
    nodes: tuple[NodeId, ...]
    injected_ns: int
    recovery_ns: int
    open: bool  # no such ok before the end of the run, which counts in its place


@dataclass
class Sample:
    """What metrics are made from: a run, and of its operations those that were meant to start after the warm-up."""

    recording: Recording
    operations: Sequence[Operation]
    unsent: int = 0  # operations that were given up before they were sent

    @cached_property
    def latencies_ns(self) -> "NDArray[np.int64]":
        """Of all answered operations, from the intended start; sorted."""
        return sorted_ns(
            operation.return_ns - operation.intended_ns
            for operation in self.operations
            if operation.return_ns is not None and is_answered(operation)
        )

    @cached_property
    def recoveries_ns(self) -> "NDArray[np.int64]":
        return sorted_ns(recovery.recovery_ns for recovery in recoveries(self.recording))

    @cached_property
    def beliefs(self) -> list[Belief]:
        return beliefs(self.recording.events, self.recording.end_ns)

    @cached_property
    def reelections_ns(self) -> "NDArray[np.int64]":
        return sorted_ns(reelections_ns(self.beliefs, self.recording.faults))

    @cached_property
    def siblings(self) -> Judged | None:
        """What became of writes that name what they had seen; over the whole run, warm-up included."""
        return replication.judged(self.recording.history)

    def count(self, outcome: str) -> int:
        return sum(operation.outcome == outcome for operation in self.operations)

    def measured_s(self) -> float:
        """How long operations were measured: from the warm-up to the planned end."""
        return (self.recording.duration_ns - self.recording.warm_up_ns) / SECOND


class Metric(NamedTuple):
    """One row: what a number means and how it is made."""

    name: str
    unit: Literal["ms", "s", "ops/s", "share", "count", "bytes"]
    formula: str
    measure: Callable[[Sample], float | None]
    better: Literal["higher", "lower", ""] = ""  # "": neither
    least: float = 0.0  # a smaller difference does not matter ...
    least_is: Literal["share", "absolute"] = "share"  # ... as a share of the value, or in the metric's unit
    labels: tuple[str, ...] = ()


def is_answered(operation: Operation) -> bool:
    """Whether the state answered before the client gave up: ok, or a definite answer such as a failed compare."""
    if operation.outcome == "fail":
        return operation.error in ERRORS and ERRORS[operation.error].answered
    return operation.outcome == "ok"


def recoveries(recording: Recording) -> list[Recovery]:
    """One row a fault, in order of injection; any key and any region counts."""
    oks = [operation for operation in recording.history if operation.outcome == "ok"]
    oks.sort(key=lambda operation: operation.invoke_ns)
    invokes = [operation.invoke_ns for operation in oks]
    earliest: list[int | None] = [None] * (len(oks) + 1)  # the earliest return among oks from this one on
    for place in range(len(oks) - 1, -1, -1):
        returned, later = oks[place].return_ns, earliest[place + 1]
        earliest[place] = returned if later is None or returned is None else min(returned, later)
    rows = []
    for fault in recording.faults:
        first = earliest[bisect_left(invokes, fault.injected_ns)]
        end_ns = max(recording.end_ns, fault.injected_ns) if first is None else first
        rows.append(
            Recovery(
                number=fault.number,
                fault=fault.fault,
                nodes=fault.nodes,
                injected_ns=fault.injected_ns,
                recovery_ns=end_ns - fault.injected_ns,
                open=first is None,
            )
        )
    return rows


def measure(recording: Recording) -> dict[str, float | None]:
    """Every metric of METRICS by name, then the labelled forms; None where there is no data."""
    counted = [operation for operation in recording.history if operation.intended_ns >= recording.warm_up_ns]
    unsent = [one for one in recording.abandoned if one.intended_ns >= recording.warm_up_ns]
    whole = Sample(recording, counted, len(unsent))
    figures = {name: metric.measure(whole) for name, metric in METRICS.items()}
    places = recording.topology.regions
    for label, operations in _groups(recording, counted):
        here = sum(label == f"region={places[one.node]}" for one in unsent)  # what they would have done nobody knows
        sample = Sample(recording, operations, here)
        for name, metric in METRICS.items():
            if metric.labels:
                figures[f"{name}[{label}]"] = metric.measure(sample)
    return figures


def _groups(recording: Recording, operations: Sequence[Operation]) -> Iterator[tuple[str, list[Operation]]]:
    """Operations by client region, by function, and by both, under their labels."""
    places = recording.topology.regions
    regions = sorted({places[client] for client in recording.topology.clients})
    functions = sorted({operation.function for operation in recording.history})
    for region in (*regions, None):
        here = [one for one in operations if region is None or places[one.node] == region]
        if region is not None:
            yield f"region={region}", here
        for function in functions:
            both = (f"region={region}," if region is not None else "") + f"op={function}"
            yield both, [one for one in here if one.function == function]


# what operations met


def _throughput(sample: Sample) -> float | None:
    seconds = sample.measured_s()
    return sample.count("ok") / seconds if seconds > 0 else None


def _latency_ms(per_mille: int, at_least: int = 1) -> Callable[[Sample], float | None]:
    return lambda sample: _ms(percentile(sample.latencies_ns, per_mille, at_least=at_least))


def _availability(sample: Sample) -> float | None:
    intended = len(sample.operations) + sample.unsent
    return sum(map(is_answered, sample.operations)) / intended if intended else None


def _retries(sample: Sample) -> int:
    warm_up_ns = sample.recording.warm_up_ns
    events = sample.recording.events
    return sum(isinstance(seen.event, Retried) and seen.time_ns >= warm_up_ns for seen in events)


def _longest_outage_ms(sample: Sample) -> float | None:
    if not sample.operations:
        return None
    intended = [operation.intended_ns for operation in sample.operations]
    first, last = min(intended), max(intended)
    oks = [one.return_ns for one in sample.operations if one.outcome == "ok" and one.return_ns is not None]
    moments = sorted([first, last, *(moment for moment in oks if first < moment < last)])
    return max((later - former for former, later in pairwise(moments)), default=0) / MS


# what faults and elections cost


def _recovery_ms(per_mille: int) -> Callable[[Sample], float | None]:
    return lambda sample: _ms(percentile(sample.recoveries_ns, per_mille))


def _reelection_ms(per_mille: int) -> Callable[[Sample], float | None]:
    return lambda sample: _ms(percentile(sample.reelections_ns, per_mille))


def _leaders_per_term_max(sample: Sample) -> float | None:
    pairs = {(belief.term, belief.node) for belief in sample.beliefs}
    terms = [term for term, _ in pairs]
    return max((terms.count(term) for term in set(terms)), default=None)


def _first_leader_ms(sample: Sample) -> float | None:
    return _ms(min((belief.start_ns for belief in sample.beliefs), default=None))


# what it took


def _commits(sample: Sample) -> int | None:
    events = (observed.event for observed in sample.recording.events)
    return max((event.index for event in events if isinstance(event, Committed)), default=None)


def _messages_per_commit(sample: Sample) -> float | None:
    commits = _commits(sample)
    return sample.recording.traffic.sent / commits if commits else None


def _ms(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns / MS


BY = ("region", "op")
LATENCY = "of answered operations, from the intended start to the return"
RECOVERY = "over faults, of the time from the injection to the first ok that began after it, at most to the run's end"
REELECTION = "over faults that hit the leader, of the time to the next election in a later term"

_ROWS = (
    Metric("operations", "count", "operations", lambda sample: len(sample.operations), labels=BY),
    Metric(
        "ok", "count", "operations that ended with ok", lambda sample: sample.count("ok"), "higher", 0.05, labels=BY
    ),
    Metric("failed", "count", "operations that had no effect", lambda sample: sample.count("fail"), labels=BY),
    Metric(
        "unknown_outcomes",
        "count",
        "operations that may have happened",
        lambda sample: sample.count("info"),
        "lower",
        0.1,
        labels=BY,
    ),
    Metric(
        "unsent",
        "count",
        "operations of an open loop that no client was free for within its time-out",
        lambda sample: sample.unsent,
        "lower",
        0.1,
        labels=("region",),
    ),
    Metric("retries", "count", "times that clients asked again for want of an answer", _retries, "lower", 0.1),
    Metric("throughput_ops_s", "ops/s", "ok / (duration - warm-up)", _throughput, "higher", 0.05, labels=BY),
    Metric("latency_p50_ms", "ms", f"median {LATENCY}", _latency_ms(500), "lower", 0.05, labels=BY),
    Metric("latency_p90_ms", "ms", f"90th percentile {LATENCY}", _latency_ms(900), "lower", 0.05, labels=BY),
    Metric(
        "latency_p99_ms",
        "ms",
        f"99th percentile {LATENCY}; 100 of them at least",
        _latency_ms(990, P99_NEEDS),
        "lower",
        0.1,
        labels=BY,
    ),
    Metric(
        "latency_p99_9_ms",
        "ms",
        f"99.9th percentile {LATENCY}; 1,000 at least",
        _latency_ms(999, P99_9_NEEDS),
        "lower",
        0.1,
        labels=BY,
    ),
    Metric("latency_max_ms", "ms", f"greatest time {LATENCY}", _latency_ms(1000), "lower", 0.2, labels=BY),
    Metric(
        "availability",
        "share",
        "answered in time / (operations + unsent)",
        _availability,
        "higher",
        0.005,
        "absolute",
        labels=BY,
    ),
    Metric(
        "longest_outage_ms",
        "ms",
        "longest time between two oks, from first to last intended start",
        _longest_outage_ms,
        "lower",
        0.1,
        labels=BY,
    ),
    Metric("recovery_p50_ms", "ms", f"median {RECOVERY}", _recovery_ms(500), "lower", 0.1),
    Metric("recovery_p99_ms", "ms", f"99th percentile {RECOVERY}", _recovery_ms(990), "lower", 0.1),
    Metric("recovery_max_ms", "ms", f"greatest {RECOVERY}", _recovery_ms(1000), "lower", 0.2),
    Metric("faults_injected", "count", "injections", lambda sample: len(sample.recording.faults)),
    Metric("elections", "count", "times that a node became leader", lambda sample: len(sample.beliefs), "lower", 0.1),
    Metric(
        "leader_overlap_ms",
        "ms",
        "time in which two or more nodes believed to lead",
        lambda sample: overlap_ns(sample.beliefs) / MS,
        "lower",
        0.1,
    ),
    Metric(
        "leaders_per_term_max",
        "count",
        "most nodes that became leader in one term",
        _leaders_per_term_max,
        "lower",
        1.0,
        "absolute",
    ),
    Metric("first_leader_ms", "ms", "from the start to the first leader", _first_leader_ms, "lower", 0.1),
    Metric("reelection_p50_ms", "ms", f"median {REELECTION}", _reelection_ms(500), "lower", 0.1),
    Metric("reelection_max_ms", "ms", f"greatest {REELECTION}", _reelection_ms(1000), "lower", 0.2),
    Metric("commits", "count", "greatest index that a node knew to be committed", _commits, "higher", 0.05),
    Metric("messages_sent", "count", "messages given to links", lambda sample: sample.recording.traffic.sent),
    Metric(
        "messages_dropped",
        "count",
        "messages lost to faults or to nodes that were down",
        lambda sample: sample.recording.traffic.dropped,
    ),
    Metric("messages_delivered", "count", "messages handled", lambda sample: sample.recording.traffic.delivered),
    Metric(
        "bytes_sent",
        "bytes",
        "on the wire; none on the simulator",
        lambda sample: sample.recording.traffic.bytes or None,
        "lower",
        0.05,
    ),
    Metric("messages_per_commit", "count", "messages_sent / commits", _messages_per_commit, "lower", 0.05),
    Metric(
        "host_lag_p99_ms",
        "ms",
        "99th percentile of how late handlers ran, on the worst host",
        lambda sample: sample.recording.traffic.lag_p99_ns / MS,
        "lower",
        0.5,
    ),
)

# what replicated stores keep, and what it takes


def _of_siblings(figure: Callable[[Judged], float]) -> Callable[[Sample], float | None]:
    return lambda sample: None if sample.siblings is None else figure(sample.siblings)


def _of_events(figure: Callable[[list[Observed]], float | None]) -> Callable[[Sample], float | None]:
    return lambda sample: figure(sample.recording.events)


def _background(work: str, what: str) -> Callable[[Sample], float | None]:
    return lambda sample: replication.background(sample.recording.events, work, what)


def _spread(sample: Sample, *, most: bool) -> float | None:
    shares = replication.shares(sample.recording)
    return (max if most else min)(shares) * len(shares) / sum(shares) if shares else None


def _staleness(sample: Sample) -> float | None:
    return None if sample.siblings is None else len(sample.siblings.stale) / max(1, sample.siblings.reads)


_REPLICATION = (
    Metric(
        "writes_lost",
        "count",
        "acknowledged puts that the key's last read misses",
        _of_siblings(lambda found: len(found.lost)),
        "lower",
    ),
    Metric(
        "siblings_false",
        "count",
        "siblings of last reads whose place another write took",
        _of_siblings(lambda found: len(found.false_siblings)),
        "lower",
    ),
    Metric(
        "resurrected",
        "count",
        "values of last reads that a delete had seen",
        _of_siblings(lambda found: len(found.resurrected)),
        "lower",
    ),
    Metric("siblings_max", "count", "most siblings of a get", _of_siblings(lambda found: found.siblings_max), "lower"),
    Metric(
        "stale_reads_share",
        "share",
        "gets that miss a write acknowledged before / gets",
        _staleness,
        "lower",
        0.001,
        "absolute",
    ),
    Metric(
        "clock_entries_mean",
        "count",
        "mean (actor, counter) pairs of a key's clock in the end",
        _of_events(replication.clock_entries),
        "lower",
        0.05,
    ),
    Metric(
        "clock_bytes_mean",
        "bytes",
        "mean size of a key's clock in the end, values left out",
        _of_events(replication.clock_bytes),
        "lower",
        0.05,
    ),
    Metric("keys_apart", "count", "keys whose replicas differ in the end", _of_events(replication.keys_apart), "lower"),
    Metric(
        "converged_ms",
        "ms",
        "from the last end of a write or a fault to the last change of a replica",
        lambda sample: replication.converged_ms(sample.recording),
        "lower",
        0.1,
    ),
    Metric("hints_kept", "count", "writes kept for owners that were down", _of_events(replication.hints)),
    Metric("handoff_keys", "count", "copies handed to owners that came back", _background("handoff", "keys")),
    Metric(
        "read_repairs", "count", "copies sent to replicas that a read found behind", _background("read-repair", "keys")
    ),
    Metric("anti_entropy_keys", "count", "copies sent by anti-entropy", _background("anti-entropy", "keys")),
    Metric(
        "anti_entropy_bytes",
        "bytes",
        "all that anti-entropy sent, hashes included",
        _background("anti-entropy", "bytes"),
        "lower",
        0.05,
    ),
    Metric(
        "keys_moved", "count", "copies fetched because the ring changed", _background("transfer", "keys"), "lower", 0.05
    ),
    Metric("bytes_moved", "bytes", "bytes of these copies", _background("transfer", "bytes"), "lower", 0.05),
    Metric(
        "fullest_server",
        "share",
        "keys of the server with the most / the mean",
        lambda sample: _spread(sample, most=True),
        "lower",
        0.05,
    ),
    Metric(
        "emptiest_server",
        "share",
        "keys of the server with the fewest / the mean",
        lambda sample: _spread(sample, most=False),
        "higher",
        0.05,
    ),
    Metric(
        "death_known_max_ms",
        "ms",
        "longest time from a crash until another server took the node for dead",
        lambda sample: max(replication.detection_ms(sample.recording.events), default=None),
        "lower",
        0.1,
    ),
)

METRICS: dict[str, Metric] = {row.name: row for row in (*_ROWS, *_REPLICATION)}
