"""What each fault really cut: a short run may pass by luck, if its faults hit nothing."""

from collections.abc import Iterator
from typing import NamedTuple

from cluster.journal import DiskFailed, NodePaused, NodeStopped
from experiments.recording import FaultRecord, Recording

FELLED = (NodeStopped, NodePaused, DiskFailed)


class Hit(NamedTuple):
    """What one injection cut."""

    fault: FaultRecord
    messages: int  # dropped, held up, doubled or spoiled by its rules on links
    operations: int  # under way while it lasted that did not end well
    nodes: int  # of those that it aimed at: they stopped, paused or lost their disk meanwhile

    @property
    def nothing(self) -> bool:
        return not (self.messages or self.operations or self.nodes)


def hits(recording: Recording) -> Iterator[Hit]:
    """What each injection cut, in order."""
    unwell = [operation for operation in recording.history if operation.outcome != "ok"]
    felled = [(seen.time_ns, seen.node) for seen in recording.events if isinstance(seen.event, FELLED)]
    for fault in recording.faults:
        # A crash is carried out before its injection is recorded, a moment later.
        begin_ns = fault.planned_ns
        end_ns = recording.end_ns if fault.healed_ns is None else fault.healed_ns
        ends = ((operation, operation.ended_ns or recording.end_ns) for operation in unwell)
        cut = sum(operation.invoke_ns <= end_ns and ended_ns >= begin_ns for operation, ended_ns in ends)
        down = {node for time_ns, node in felled if begin_ns <= time_ns <= end_ns and node in fault.nodes}
        yield Hit(fault, fault.messages, cut, len(down))
