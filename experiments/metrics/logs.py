"""What became of replicated logs: how often they were compacted, and replaced by a snapshot."""

from actors.message import Event
from actors.protocols.raft_messages import Committed, Compacted, LogRotten, MembersChanged
from experiments.metrics.sample import Metric, Sample


def _compactions(sample: Sample) -> float:
    return sum(isinstance(observed.event, Compacted) for observed in sample.recording.events)


def _installed(sample: Sample) -> float:
    told = (observed.event for observed in sample.recording.events)
    return sum(isinstance(event, Compacted) and event.installed for event in told)


def _rotten(sample: Sample) -> float:
    return sum(isinstance(observed.event, LogRotten) for observed in sample.recording.events)


def _configurations(sample: Sample) -> float:
    told: list[Event] = [observed.event for observed in sample.recording.events]
    reach = max((event.index for event in told if isinstance(event, Committed)), default=0)
    return len({event.index for event in told if isinstance(event, MembersChanged) and event.index <= reach})


LOGS = (
    Metric("compactions", "count", "times that a node's log was cut off in front of a snapshot", _compactions),
    Metric("logs_rotten", "count", "times that a node found a checksum wrong in the middle of its log", _rotten),
    Metric("configurations_committed", "count", "changes of members, and steps of them, in the log", _configurations),
    Metric("snapshots_installed", "count", "times that a leader's snapshot replaced a node's log", _installed),
)
