"""Convergence: once faults are over and writes have ended, all replicas hold the same, within a bound."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from actors.history import Operation
from actors.message import NodeId
from actors.protocols.dynamo_messages import Held
from cluster.journal import NodeStopped
from cluster.topology import Topology
from experiments.checkers.verdict import Verdict
from experiments.recording import FaultRecord, Observed

WITHIN_NS = 10_000_000_000  # after the last disturbance; a run that ends sooner is unknown unless they agree


def replicas_agree(
    events: Iterable[Observed],
    history: Sequence[Operation],
    faults: Sequence[FaultRecord],
    *,
    end_ns: int,
    topology: Topology,
    within_ns: int = WITHIN_NS,
) -> Verdict:
    """All replicas of each key hold the same in the end.

    What a replica holds is told by `Held` events; one that holds nothing of a key is no replica of it, for it may
    have none. The last disturbance is the last end of a fault, or of a write.

    Returns: invalid if replicas of a key differ at the end, `within_ns` after the last disturbance or later; unknown
        if they differ and the run ended sooner, or nobody told what it holds.
    """
    holds, changed_ns = _final(events)
    if not holds:
        return Verdict(valid="unknown", checked=0, reason="no replica told what it holds")
    disturbed_ns = _last_disturbance(history, faults)
    apart = {key: marks for key, marks in sorted(holds.items()) if len(set(marks.values())) > 1}
    waited_s = (end_ns - disturbed_ns) / 1e9
    evidence = {
        "keys": len(holds),
        "apart": len(apart),
        "converged_after_ms": None if apart else max(0, changed_ns - disturbed_ns) / 1e6,
    }
    if not apart:
        return Verdict(valid=True, checked=len(holds), method="fingerprints at the end", evidence=evidence)
    key, marks = next(iter(apart.items()))
    sides = defaultdict(list)
    for node, mark in sorted(marks.items()):
        sides[mark].append(node)
    told = " | ".join(topology.names(nodes) for nodes in sides.values())
    reason = f"replicas of {key} differ ({told}) {waited_s:.1f} s after the last fault or write"
    late = end_ns - disturbed_ns >= within_ns
    return Verdict(valid=False if late else "unknown", checked=len(holds), reason=reason, evidence=evidence)


def _final(events: Iterable[Observed]) -> tuple[dict[str, dict[NodeId, int]], int]:
    """What each node holds of each key at the end, and when the last change was."""
    holds: dict[str, dict[NodeId, int]] = defaultdict(dict)
    changed_ns = 0
    for observed in events:
        event = observed.event
        if isinstance(event, Held):
            changed_ns = observed.time_ns
            if event.fingerprint:
                holds[event.key][observed.node] = event.fingerprint
            else:
                holds[event.key].pop(observed.node, None)
    return {key: marks for key, marks in holds.items() if marks}, changed_ns


def _last_disturbance(history: Sequence[Operation], faults: Sequence[FaultRecord]) -> int:
    writes = (one.ended_ns or one.invoke_ns for one in history if one.function not in ("get", "read", "scan"))
    heals = (fault.healed_ns or fault.injected_ns for fault in faults)
    return max((*writes, *heals), default=0)
