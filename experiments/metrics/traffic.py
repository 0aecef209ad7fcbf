"""What it took: commits, messages, bytes, CPU, lag."""

from collections.abc import Iterator

from actors.protocols.raft_messages import Committed
from cluster.journal import MessageSent, ServerLoad
from experiments.metrics.sample import MS, Metric, Sample

BY = ("type",)


def _commits(sample: Sample) -> int | None:
    events = (observed.event for observed in sample.recording.events)
    return max((event.index for event in events if isinstance(event, Committed)), default=None)


def _messages(sample: Sample) -> Iterator[MessageSent]:
    """The recorded messages of the sample's type."""
    for seen in sample.recording.messages:
        if isinstance(seen.event, MessageSent) and sample.type in (None, seen.event.kind):
            yield seen.event


def _sent(sample: Sample) -> int:
    return sample.recording.traffic.sent if sample.type is None else sum(1 for _ in _messages(sample))


def _bytes(sample: Sample) -> int | None:
    recorded = sum(message.bytes for message in _messages(sample))
    return (sample.recording.traffic.bytes if sample.type is None else 0) or recorded or None


def _messages_per_commit(sample: Sample) -> float | None:
    commits = _commits(sample)
    return sample.recording.traffic.sent / commits if commits else None


def _loads(sample: Sample) -> dict[int, list[ServerLoad]]:
    loads: dict[int, list[ServerLoad]] = {}
    for seen in sample.recording.events:
        if isinstance(seen.event, ServerLoad):
            loads.setdefault(seen.node, []).append(seen.event)
    return loads


def _utilisation_max(sample: Sample) -> float | None:
    busy_ns = [sum(load.busy_ns for load in loads) for loads in _loads(sample).values()]
    return max(busy_ns) / sample.recording.end_ns if busy_ns else None


def _queue_depth_max(sample: Sample) -> int | None:
    return max((load.queue_max for loads in _loads(sample).values() for load in loads), default=None)


TRAFFIC = (
    Metric("commits", "count", "greatest index that a node knew to be committed", _commits, "higher", 0.05),
    Metric("messages_sent", "count", "messages given to links; by type with record: messages", _sent, labels=BY),
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
        "on the wire; on the simulator, and by type, encoded messages with record: messages",
        _bytes,
        "lower",
        0.05,
        labels=BY,
    ),
    Metric("messages_per_commit", "count", "messages_sent / commits", _messages_per_commit, "lower", 0.05),
    Metric(
        "utilisation_max",
        "share",
        "time that the busiest server's modelled CPU worked / the run's length; with cluster.cpu",
        _utilisation_max,
        "lower",
        0.05,
    ),
    Metric(
        "queue_depth_max",
        "count",
        "most messages that waited for one server's modelled CPU; with cluster.cpu",
        _queue_depth_max,
        "lower",
        0.1,
    ),
    Metric(
        "host_lag_p99_ms",
        "ms",
        "99th percentile of how late handlers ran, on the worst host",
        lambda sample: sample.recording.traffic.lag_p99_ns / MS,
        "lower",
        0.5,
    ),
)
