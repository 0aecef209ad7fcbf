"""Who led, and what it cost to change that."""

from collections.abc import Callable

from actors.election import RoleChanged
from experiments.leadership import overlap_ns
from experiments.metrics.sample import MS, Metric, Sample, in_ms
from experiments.percentiles import percentile

REELECTION = "over faults that hit the leader, of the time to the next election in a later term"


def _reelection_ms(per_mille: int) -> Callable[[Sample], float | None]:
    return lambda sample: in_ms(percentile(sample.reelections_ns, per_mille))


def _leaders_per_term_max(sample: Sample) -> float | None:
    pairs = {(belief.term, belief.node) for belief in sample.beliefs}
    terms = [term for term, _ in pairs]
    return max((terms.count(term) for term in set(terms)), default=None)


def _candidacies(sample: Sample) -> float:
    told = (observed.event for observed in sample.recording.events)
    return sum(isinstance(event, RoleChanged) and event.role == "candidate" for event in told)


def _first_leader_ms(sample: Sample) -> float | None:
    return in_ms(min((belief.start_ns for belief in sample.beliefs), default=None))


LEADERS = (
    Metric("elections", "count", "times that a node became leader", lambda sample: len(sample.beliefs), "lower", 0.1),
    Metric("candidacies", "count", "times that a node stood for election", _candidacies, "lower", 0.1),
    Metric(
        "leader_overlap_ms",
        "ms",
        "time in which two or more nodes believed to lead",
        lambda sample: overlap_ns(sample.beliefs) / MS,
        "lower",
        0.1,
    ),
    Metric(
        "leaders_per_term_max",
        "count",
        "most nodes that became leader in one term",
        _leaders_per_term_max,
        "lower",
        1.0,
        "absolute",
    ),
    Metric("first_leader_ms", "ms", "from the start to the first leader", _first_leader_ms, "lower", 0.1),
    Metric("reelection_p50_ms", "ms", f"median {REELECTION}", _reelection_ms(500), "lower", 0.1),
    Metric("reelection_max_ms", "ms", f"greatest {REELECTION}", _reelection_ms(1000), "lower", 0.2),
)
