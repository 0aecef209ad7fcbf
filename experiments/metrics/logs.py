"""What became of replicated logs: how often they were compacted, and replaced by a snapshot."""

from actors.protocols.raft_messages import Compacted
from experiments.metrics.sample import Metric, Sample


def _compactions(sample: Sample) -> float:
    return sum(isinstance(observed.event, Compacted) for observed in sample.recording.events)


def _installed(sample: Sample) -> float:
    told = (observed.event for observed in sample.recording.events)
    return sum(isinstance(event, Compacted) and event.installed for event in told)


LOGS = (
    Metric("compactions", "count", "times that a node's log was cut off in front of a snapshot", _compactions),
    Metric("snapshots_installed", "count", "times that a leader's snapshot replaced a node's log", _installed),
)
