"""What replicated stores cost and keep: figures of a recording that metrics are made from."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from actors.history import Operation
from actors.message import NodeId
from actors.protocols.dynamo_messages import Background, Hinted, Trips
from experiments.checkers.membership import detection_times_ns
from experiments.checkers.replicas import final_state, last_disturbance_ns
from experiments.checkers.siblings import Judged, judge_siblings
from experiments.recording import Observed, Recording

MS = 1e6  # ns


def judged(history: Iterable[Operation]) -> Judged | None:
    """What became of writes, if the history is one of gets and puts."""
    found = judge_siblings(history)
    return found if found.writes else None


def background(events: Iterable[Observed], work: str, what: str) -> int | None:
    """Keys or bytes that background work of a kind sent; None if nobody did any."""
    told = [one.event for one in events if isinstance(one.event, Background) and one.event.work == work]
    return sum(getattr(event, what) for event in told) if told else None


def hints(events: Iterable[Observed]) -> int | None:
    """Writes kept for owners that were down."""
    return sum(one.event.keys for one in events if isinstance(one.event, Hinted) and one.event.keys > 0) or None


def clock_entries(events: Iterable[Observed]) -> float | None:
    """The mean number of (actor, counter) pairs of the clocks held in the end."""
    held = [event for marks in final_state(events).holds.values() for event in marks.values()]
    return sum(event.entries for event in held) / len(held) if held else None


def clock_bytes(events: Iterable[Observed]) -> float | None:
    """The mean size of the clocks held in the end, values left out."""
    held = [event for marks in final_state(events).holds.values() for event in marks.values()]
    return sum(event.clock_bytes for event in held) / len(held) if held else None


def shares(recording: Recording) -> list[int] | None:
    """How many keys each server holds in the end, those with none included."""
    counts = Counter(node for marks in final_state(recording.events).holds.values() for node in marks)
    if not counts:
        return None
    return [counts.get(node, 0) for node in recording.topology.servers]


def converged_ms(recording: Recording) -> float | None:
    """From the last end of a write or a fault to the last change of a replica; None if replicas differ in the end."""
    final = final_state(recording.events)
    if not final.holds or any(len({event.fingerprint for event in held.values()}) > 1 for held in final.holds.values()):
        return None
    return max(0, final.changed_ns - last_disturbance_ns(recording.history, recording.faults)) / MS


def keys_apart(events: Iterable[Observed]) -> int | None:
    """Keys whose replicas differ in the end."""
    holds = final_state(events).holds
    if not holds:
        return None
    return sum(len({event.fingerprint for event in held.values()}) > 1 for held in holds.values())


def detection_ms(events: Iterable[Observed]) -> list[float]:
    """How long each server took to know of each crash."""
    return [waited / MS for waited in detection_times_ns(events)]


def trips_by_link(events: Iterable[Observed]) -> dict[tuple[NodeId, NodeId], list[int]]:
    """The round trips in ns that coordinators told, by coordinator and replica; none to itself."""
    found: dict[tuple[NodeId, NodeId], list[int]] = defaultdict(list)
    for observed in events:
        if isinstance(observed.event, Trips):
            for replica, trip_ns in observed.event.trips_ns:
                if replica != observed.node:
                    found[observed.node, replica].append(trip_ns)
    return found


def scan_shards(history: Iterable[Operation]) -> float | None:
    """The mean number of servers that a scan asked."""
    asked = [one.result[1] for one in history if one.function == "scan" and isinstance(one.result, tuple)]
    return sum(int(shards or 0) for shards in asked) / len(asked) if asked else None


def moved_share(events: Iterable[Observed]) -> float | None:
    """Copies fetched because the ring changed, as a share of all keys."""
    moved, keys = background(events, "transfer", "keys"), len(final_state(events).holds)
    return moved / keys if moved is not None and keys else None
