"""Raft's promises through random storms of crashes, cuts, pauses, duplicates, loss and slow disks.

The simulator asserts each server's own invariants after each handler, and the barrier (nothing leaves before all
earlier saves are durable) is what these storms would break first: duplicates of votes, and crashes while fsync is slow.
"""

import pytest
from storms import Climate, answered, climate, complaints, missing_at_the_end, weather

from actors.settings import MS

SEEDS = range(60)


@pytest.mark.parametrize("block", range(6))
def test_nothing_is_held_against_raft(block):
    """Election safety, log matching, leader completeness, state machine safety; no acknowledged append is lost."""
    for seed in SEEDS[block::6]:
        assert complaints(weather(seed)) == [], f"seed {seed}: {climate(seed)}"


def test_the_storms_let_work_be_done_and_hinder_it():
    """Else they would prove nothing."""
    runs = [weather(seed) for seed in SEEDS[:20]]
    assert sum(answered(run.recording.history) > 10 for run in runs) >= 15
    assert any(operation.outcome == "info" for run in runs for operation in run.recording.history)


def test_once_all_is_healed_every_server_has_every_acknowledged_append():
    """Liveness at the end: the run drains for two seconds after the last heal."""
    for seed in SEEDS[:20]:
        run = weather(seed)
        assert missing_at_the_end(run, run.recording.topology.servers) == [], f"seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
def test_hundreds_of_crash_storms_with_slow_disks_and_duplicates(block):
    """What a barrier behind a handler's own saves only got wrong once in eighty seeds."""
    crashes = Climate(("crash", "slow_fsync"), faults=80, longest_ns=60 * MS, rtt_ns=80 * MS)
    for seed in range(block, 1000, 10):
        assert complaints(weather(seed, made_of=crashes)) == [], f"seed {seed}"
        assert complaints(weather(1000 + seed)) == [], f"seed {1000 + seed}: {climate(1000 + seed)}"
