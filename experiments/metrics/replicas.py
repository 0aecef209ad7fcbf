"""What replicated stores keep, and what it takes."""

from collections.abc import Callable

from experiments import replication
from experiments.checkers.siblings import Judged
from experiments.metrics.sample import Metric, Sample
from experiments.recording import Observed


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


REPLICAS = (
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
    Metric(
        "scan_shards_mean",
        "count",
        "mean number of servers that a scan asked",
        lambda sample: replication.scan_shards(sample.operations),
        "lower",
        0.05,
    ),
    Metric(
        "keys_moved_share",
        "share",
        "keys_moved / keys that servers hold in the end",
        lambda sample: replication.moved_share(sample.recording.events),
        "lower",
        0.01,
        "absolute",
    ),
)
