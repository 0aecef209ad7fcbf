"""All metrics of a run, in one table. To add one: its row in the file of its topic.

Metrics with labels are also given for each client region and function, and each pair of them, or for each kind of
fault or type of message: `latency_p99_ms[region=eu-west-1,op=write]`, `recovery_max_ms[fault=crash]`,
`bytes_sent[type=AppendEntries]`. A metric without data is None.
"""

from collections.abc import Iterator, Mapping, Sequence

from actors.history import Operation
from cluster.journal import MessageSent
from experiments.metrics.faults import FAULTS
from experiments.metrics.leaders import LEADERS
from experiments.metrics.logs import LOGS
from experiments.metrics.operations import OPERATIONS
from experiments.metrics.recovery import Recovery, recoveries
from experiments.metrics.replicas import REPLICAS
from experiments.metrics.sample import Metric, Sample, is_answered
from experiments.metrics.staleness import STALENESS, staleness_by_age
from experiments.metrics.traffic import TRAFFIC
from experiments.recording import Recording

__all__ = ["METRICS", "Metric", "Recovery", "Sample", "is_answered", "measure", "recoveries", "trusted"]

METRICS: dict[str, Metric] = {
    row.name: row for row in (*OPERATIONS, *FAULTS, *LEADERS, *LOGS, *TRAFFIC, *REPLICAS, *STALENESS)
}


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
        figures |= _labelled(sample, label)
    for kind in sorted({sent.event.kind for sent in recording.messages if isinstance(sent.event, MessageSent)}):
        figures |= _labelled(Sample(recording, counted, type=kind), f"type={kind}")
    for fault in sorted({fault.fault for fault in recording.faults}):
        figures |= _labelled(Sample(recording, counted, fault=fault), f"fault={fault}")
    return figures | staleness_by_age(recording)


def trusted(metrics: Mapping[str, float | None], *, too_small: bool) -> Mapping[str, float | None]:
    """The metrics that mean something: on a machine that was too small for the run, none of performance."""
    if not too_small:
        return metrics
    return {name: value for name, value in metrics.items() if not METRICS[name.partition("[")[0]].of_performance}


def _labelled(sample: Sample, label: str) -> dict[str, float | None]:
    """The metrics that have all labels of a text such as region=eu-west-1,op=write."""
    given = {part.partition("=")[0] for part in label.split(",")}
    having = {name: metric for name, metric in METRICS.items() if given <= set(metric.labels)}
    return {f"{name}[{label}]": metric.measure(sample) for name, metric in having.items()}


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
