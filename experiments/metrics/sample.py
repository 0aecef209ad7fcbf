"""What metrics are made from, and what a metric is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from actors.errors import ERRORS
from actors.history import Operation
from experiments import replication
from experiments.checkers.siblings import Judged
from experiments.leadership import Belief, beliefs, reelections_ns
from experiments.metrics.recovery import recoveries
from experiments.percentiles import sorted_ns
from experiments.recording import Recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MS = 1e6  # ns
SECOND = 1e9  # ns


@dataclass
class Sample:
    """What metrics are made from: a run, and of its operations those that were meant to start after the warm-up."""

    recording: Recording
    operations: Sequence[Operation]
    unsent: int = 0  # operations that were given up before they were sent
    fault: str | None = None  # the kind of faults whose cost is asked for; None: all
    type: str | None = None  # of the messages that are counted; None: all

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
        """Of all faults, or of one kind; sorted."""
        rows = recoveries(self.recording)
        return sorted_ns(row.recovery_ns for row in rows if self.fault in (None, row.fault))

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

    @property
    def of_performance(self) -> bool:
        """Whether it says how fast or how well the system served, which a machine that is too small distorts."""
        return self.unit in ("ms", "s", "ops/s") or self.name in ("availability", "utilisation_max")


def is_answered(operation: Operation) -> bool:
    """Whether the state answered before the client gave up: ok, or a definite answer such as a failed compare."""
    if operation.outcome == "fail":
        return operation.error in ERRORS and ERRORS[operation.error].answered
    return operation.outcome == "ok"


def in_ms(time_ns: int | None) -> float | None:
    """A time in ms; None stays None."""
    return None if time_ns is None else time_ns / MS
