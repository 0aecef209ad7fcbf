"""The right code under drawn faults: it keeps what each configuration promises."""

from typing import Any

import pytest
from dynamo_storms import PROMISES, STRICT_PROMISES, Weather, complaints, fast, run_dynamo, storm, verdict_of

from actors.protocols.dynamo_messages import Owned
from actors.settings import MS, SECOND

STRICT = {"quorum": "strict"}
CONFIGURATIONS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "strict quorums": (STRICT, STRICT_PROMISES),
    "sloppy quorums": ({"quorum": "sloppy"}, PROMISES),
    "few replicas asked, digests, speculation, blocking repair": (
        STRICT | {"ask": "needed", "digest_reads": True, "read_repair": "blocking", "speculative_retry_ns": 50 * MS},
        (*STRICT_PROMISES, "context-sessions"),
    ),
    "the compact set": (STRICT | {"conflicts": "dvvset"}, ("writes-kept", "writes-visible", "replicas-agree")),
    "vectors by client": (STRICT | {"conflicts": "vv-client"}, STRICT_PROMISES),
    "tombstones collected once confirmed": (
        STRICT | {"hint_lifetime_ns": 500 * MS, "tombstone_grace_ns": SECOND},
        STRICT_PROMISES,
    ),
    "phi-accrual": ({"quorum": "sloppy", "detector": "phi"}, PROMISES),
    "no hints and no read repair, so that only trees mend": (
        STRICT | {"hinted_handoff": False, "read_repair": "none"},
        STRICT_PROMISES,
    ),
    "every key compared": (STRICT | {"anti_entropy": "full", "hinted_handoff": False}, STRICT_PROMISES),
}


CHANGES = {
    "join": {"spares": 1, "join_after_ns": 3 * SECOND},
    "leave": {"leavers": 1, "leave_after_ns": 3 * SECOND},
    "replace": {"spares": 1, "join_after_ns": 3 * SECOND, "replaces": 1},
}
SHORT = Weather(longest_ns=700 * MS)  # shorter than the time in which all must hear of a change, see below


@pytest.mark.parametrize("change", CHANGES)
def test_while_nodes_join_leave_or_take_over_quorums_still_meet(change: str) -> None:
    """As long as everybody hears of the change within ring_delay."""
    settings = fast(**STRICT, **CHANGES[change], ring_delay_ns=SECOND)
    for seed in range(2):
        assert complaints(run_dynamo(settings, storm(seed, SHORT), seed=seed), STRICT_PROMISES) == [], f"seed {seed}"


@pytest.mark.parametrize("change", CHANGES)
def test_who_is_cut_off_for_longer_than_that_may_read_by_an_old_ring_but_no_write_is_lost(change: str) -> None:
    settings = fast(**STRICT, **CHANGES[change], ring_delay_ns=SECOND)
    for seed in range(2):
        assert complaints(run_dynamo(settings, storm(seed, Weather()), seed=seed), PROMISES) == [], f"seed {seed}"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_it_keeps_its_promises_in_storms(name: str) -> None:
    changes, promises = CONFIGURATIONS[name]
    for seed in range(2):
        run = run_dynamo(fast(**changes), storm(seed, Weather()), seed=seed)
        assert complaints(run, promises) == [], f"seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_it_keeps_its_promises_in_many_storms(name: str) -> None:
    changes, promises = CONFIGURATIONS[name]
    for seed in range(1000, 1100):
        run = run_dynamo(fast(**changes), storm(seed, Weather()), seed=seed)
        assert complaints(run, promises) == [], f"seed {seed}"


def test_the_judges_have_seen_something() -> None:
    """No promise is kept for want of a run that tests it."""
    run = run_dynamo(fast(**STRICT), storm(0, Weather()), seed=0)
    assert [name for name in STRICT_PROMISES if verdict_of(run, name).valid != True] == []  # noqa: E712


def test_a_joiner_takes_its_part_and_all_agree_who_owns_what() -> None:
    settings = fast(**STRICT, spares=1, join_after_ns=3 * SECOND, ring_delay_ns=SECOND)
    run = run_dynamo(settings, seed=3, keys=40)
    rings = [run.actor(node).ring for node in range(5)]
    assert all(ring.members == rings[0].members and len(ring.members) == 5 for ring in rings)
    told = {seen.node: seen.event for seen in run.recording.events if isinstance(seen.event, Owned)}
    assert told[4].partitions > 0
    assert run.actor(4).store
