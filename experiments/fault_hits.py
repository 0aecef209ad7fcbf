"""What each fault really cut: a short run may pass by luck, if its faults hit nothing."""

from collections.abc import Iterator
from typing import NamedTuple

from experiments.recording import FaultRecord, Recording


class Hit(NamedTuple):
    """What one injection cut."""

    fault: FaultRecord
    messages: int  # dropped, held up, doubled or spoiled by its rules on links
    operations: int  # under way while it lasted that did not end well

    @property
    def nothing(self) -> bool:
        return not self.messages and not self.operations


def hits(recording: Recording) -> Iterator[Hit]:
    """What each injection cut, in order."""
    unwell = [operation for operation in recording.history if operation.outcome != "ok"]
    for fault in recording.faults:
        end_ns = recording.end_ns if fault.healed_ns is None else fault.healed_ns
        cut = sum(
            operation.invoke_ns <= end_ns and (operation.ended_ns or recording.end_ns) >= fault.injected_ns
            for operation in unwell
        )
        yield Hit(fault, fault.messages, cut)
