"""Convergence: once faults are over and writes have ended, all replicas hold the same, within a bound."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from actors.history import Operation
from actors.message import NodeId
from actors.protocols.dynamo_messages import Configured, Held
from cluster.journal import NodeStopped
from cluster.topology import Topology
from experiments.checkers.verdict import Verdict
from experiments.recording import FaultRecord, Observed

WITHIN_NS = 10_000_000_000  # after the last disturbance; a run that ends sooner is unknown unless they agree


class Final(NamedTuple):
    """What nodes hold in the end: by key and node a fingerprint, and whether it is more than a tombstone."""

    holds: dict[str, dict[NodeId, Held]]
    changed_ns: int  # when the last change was
    replicas: int  # N; 0 if nobody told


def final_state(events: Iterable[Observed]) -> Final:
    """Follow `Held` events; a node that stops holds nothing until it tells anew what its disk kept."""
    holds: dict[str, dict[NodeId, Held]] = defaultdict(dict)
    changed_ns = replicas = 0
    for observed in events:
        event = observed.event
        if isinstance(event, Held):
            former = holds[event.key].get(observed.node)
            if event.fingerprint:
                holds[event.key][observed.node] = event
            else:
                holds[event.key].pop(observed.node, None)
            if former is None or former.fingerprint != event.fingerprint:
                changed_ns = observed.time_ns
        elif isinstance(event, NodeStopped):
            for held in holds.values():
                held.pop(observed.node, None)
        elif isinstance(event, Configured):
            replicas = event.n
    return Final({key: held for key, held in holds.items() if held}, changed_ns, replicas)


def last_disturbance_ns(history: Sequence[Operation], faults: Sequence[FaultRecord]) -> int:
    """When the last write or fault ended."""
    writes = (one.ended_ns or one.invoke_ns for one in history if one.function not in ("get", "read", "scan"))
    heals = (fault.healed_ns or fault.injected_ns for fault in faults)
    return max((*writes, *heals), default=0)


def replicas_agree(
    events: Iterable[Observed],
    history: Sequence[Operation],
    faults: Sequence[FaultRecord],
    *,
    end_ns: int,
    topology: Topology,
    within_ns: int = WITHIN_NS,
) -> Verdict:
    """All replicas of each key hold the same in the end, and a key that is not deleted has N of them at least.

    Returns: invalid if that does not hold at the end, `within_ns` after the last end of a write or a fault or later;
        unknown if it does not hold and the run ended sooner, or nobody told what it holds.
    """
    final = final_state(events)
    if not final.holds:
        return Verdict(valid="unknown", checked=0, reason="no replica told what it holds")
    disturbed_ns = last_disturbance_ns(history, faults)
    wrong = {key: why for key, held in sorted(final.holds.items()) if (why := _wrong(held, final.replicas, topology))}
    checked = len(final.holds)
    evidence = {
        "keys": checked,
        "wrong": len(wrong),
        "converged_after_ms": None if wrong else max(0, final.changed_ns - disturbed_ns) / 1e6,
    }
    if not wrong:
        return Verdict(valid=True, checked=checked, method="fingerprints at the end", evidence=evidence)
    key, why = next(iter(wrong.items()))
    waited_ns = end_ns - disturbed_ns
    return Verdict(
        valid=False if waited_ns >= within_ns else "unknown",
        checked=checked,
        reason=f"{key}: {why}, {waited_ns / 1e9:.1f} s after the last fault or write",
        evidence=evidence,
    )


def _wrong(held: dict[NodeId, Held], replicas: int, topology: Topology) -> str:
    """What is wrong with a key's replicas, in words; empty if nothing is."""
    sides: dict[int, list[NodeId]] = defaultdict(list)
    for node, event in sorted(held.items()):
        sides[event.fingerprint].append(node)
    if len(sides) > 1:
        return "replicas differ, " + " | ".join(topology.names(nodes) for nodes in sides.values())
    live = any(event.siblings for event in held.values())
    servers = min(replicas, topology.server_count)
    return f"only {topology.names(held)} hold it, of {servers} replicas" if live and len(held) < servers else ""
