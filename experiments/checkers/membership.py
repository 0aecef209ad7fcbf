"""Membership: nobody who lives is taken for dead for good, and all know of the dead, within a bound."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from actors.message import NodeId
from actors.protocols.membership_gossip import HealthChanged
from cluster.journal import NodeStarted, NodeStopped
from cluster.topology import Topology
from experiments.checkers.verdict import Verdict
from experiments.recording import FaultRecord, Observed

WITHIN_NS = 30_000_000_000  # after the last fault began or ended


def membership(
    events: Iterable[Observed],
    faults: Sequence[FaultRecord],
    *,
    end_ns: int,
    topology: Topology,
    within_ns: int = WITHIN_NS,
) -> Verdict:
    """At the end every server that runs takes the others for what they are; a passing suspicion is no belief.

    Returns: invalid if one doesn't though the last change (a fault's begin or end, a crash, a start) is past the bound;
        unknown if it is not so long ago, or nobody ever changed its mind.
    """
    beliefs, running, changes, changed_ns = _followed(events, topology)
    if not changes:
        return Verdict(valid="unknown", checked=0, reason="nobody was ever taken for anything but alive")
    changed_ns = max([changed_ns, *(moment for fault in faults for moment in _moments(fault))])
    wrong = [
        f"{topology.name(observer)} takes {topology.name(node)} for {belief}"
        for observer in sorted(running)
        for node in topology.servers
        if ((belief := beliefs[observer].get(node, "alive")) == "dead") == (node in running)
    ]
    waited_ns = end_ns - changed_ns
    late = waited_ns >= within_ns
    return Verdict(
        valid=not wrong if late or not wrong else "unknown",
        checked=len(running) * topology.server_count,
        reason=f"{wrong[0]}, {waited_ns / 1e9:.1f} s after the last change" if wrong else "",
        evidence={"changes": changes, "wrong": len(wrong)},
    )


def _followed(
    events: Iterable[Observed], topology: Topology
) -> tuple[dict[NodeId, dict[NodeId, str]], set[NodeId], int, int]:
    """What each server takes which other for at the end, who runs, how many changes of mind there were, and when the
    last crash or start was."""
    beliefs: dict[NodeId, dict[NodeId, str]] = defaultdict(dict)
    running = set(topology.servers)
    changed_ns = changes = 0
    for observed in events:
        event, node = observed.event, observed.node
        if node not in topology.servers:
            continue
        if isinstance(event, HealthChanged):
            beliefs[node][event.node] = event.health
            changes += 1
        elif isinstance(event, NodeStopped | NodeStarted):
            beliefs[node].clear()
            running.discard(node) if isinstance(event, NodeStopped) else running.add(node)
            changed_ns = observed.time_ns
    return beliefs, running, changes, changed_ns


def _moments(fault: FaultRecord) -> Iterable[int]:
    return (fault.injected_ns,) if fault.healed_ns is None else (fault.injected_ns, fault.healed_ns)


def detection_times_ns(events: Iterable[Observed]) -> list[int]:
    """For each crash and each other server that ran until it knew: the time until it took the crashed one for dead."""
    crashed: dict[NodeId, int] = {}
    waited = []
    for observed in events:
        event = observed.event
        if isinstance(event, NodeStopped):
            crashed[observed.node] = observed.time_ns
        elif isinstance(event, NodeStarted):
            crashed.pop(observed.node, None)
        elif isinstance(event, HealthChanged) and event.health == "dead" and event.node in crashed:
            waited.append(observed.time_ns - crashed[event.node])
    return waited
