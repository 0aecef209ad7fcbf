"""What faults cost."""

from collections.abc import Callable

from experiments.metrics.sample import Metric, Sample, in_ms
from experiments.percentiles import percentile

BY = ("fault",)
RECOVERY = "over faults, of the time from the injection to the first ok that began after it, at most to the run's end"


def _recovery_ms(per_mille: int) -> Callable[[Sample], float | None]:
    return lambda sample: in_ms(percentile(sample.recoveries_ns, per_mille))


def _injected(sample: Sample) -> int:
    return sum(sample.fault in (None, fault.fault) for fault in sample.recording.faults)


FAULTS = (
    Metric("recovery_p50_ms", "ms", f"median {RECOVERY}", _recovery_ms(500), "lower", 0.1, labels=BY),
    Metric("recovery_p99_ms", "ms", f"99th percentile {RECOVERY}", _recovery_ms(990), "lower", 0.1, labels=BY),
    Metric("recovery_max_ms", "ms", f"greatest {RECOVERY}", _recovery_ms(1000), "lower", 0.2, labels=BY),
    Metric("faults_injected", "count", "injections", _injected, labels=BY),
)
