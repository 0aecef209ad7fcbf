"""What operations met: outcomes, throughput, latency, availability."""

from collections.abc import Callable
from itertools import pairwise

from actors.errors import ERRORS
from actors.history import Retried
from experiments.metrics.sample import MS, Metric, Sample, in_ms, is_answered
from experiments.percentiles import percentile

P99_NEEDS = 100  # operations; with fewer the 99th percentile is the greatest value
P99_9_NEEDS = 1_000
BY = ("region", "op")
LATENCY = "of answered operations, from the intended start to the return"


def _throughput(sample: Sample) -> float | None:
    seconds = sample.measured_s()
    return sample.count("ok") / seconds if seconds > 0 else None


def _latency_ms(per_mille: int, at_least: int = 1) -> Callable[[Sample], float | None]:
    return lambda sample: in_ms(percentile(sample.latencies_ns, per_mille, at_least=at_least))


def _availability(sample: Sample) -> float | None:
    intended = len(sample.operations) + sample.unsent
    return sum(map(is_answered, sample.operations)) / intended if intended else None


def _rejected(sample: Sample) -> int:
    failed = (one for one in sample.operations if one.outcome == "fail")
    return sum(one.error in ERRORS and not ERRORS[one.error].answered for one in failed)


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


OPERATIONS = (
    Metric("operations", "count", "operations", lambda sample: len(sample.operations), labels=BY),
    Metric(
        "ok", "count", "operations that ended with ok", lambda sample: sample.count("ok"), "higher", 0.05, labels=BY
    ),
    Metric("failed", "count", "operations that had no effect", lambda sample: sample.count("fail"), labels=BY),
    Metric(
        "rejected",
        "count",
        "operations that a server refused: they had no effect, and tell nothing of the state",
        _rejected,
        "lower",
        0.1,
        labels=BY,
    ),
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
)
