"""What it took: commits, messages, bytes, lag."""

from actors.protocols.raft_messages import Committed
from experiments.metrics.sample import MS, Metric, Sample


def _commits(sample: Sample) -> int | None:
    events = (observed.event for observed in sample.recording.events)
    return max((event.index for event in events if isinstance(event, Committed)), default=None)


def _messages_per_commit(sample: Sample) -> float | None:
    commits = _commits(sample)
    return sample.recording.traffic.sent / commits if commits else None


TRAFFIC = (
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
