"""Every part of Raft through random fault schedules on the simulator: nothing is ever held against the right code.

With the storms of `tests/chaos` over the plain algorithm these are 200 schedules inside `make test`, 2,000 in the long
ones.
"""

from typing import Any

import msgspec
import pytest
from scenario import RAFT
from storms import answered, climate, complaints, weather

PARTS: dict[str, dict[str, Any]] = {
    "pre-vote": {"pre_vote": True},
    "guarded": {"pre_vote": True, "check_quorum": True, "preferred": ("n2",)},
    "parallel-write": {"parallel_write": True, "in_flight": 4},
    "compacting": {"snapshot_every": 15, "trailing": 3, "chunk": 2, "session_entries": 400},
    "read-index": {"reads": "read-index", "snapshot_every": 40},
    "lease": {"reads": "lease", "check_quorum": True},
    "follower-reads": {"reads": "follower", "forward": True},
    "all": {
        "pre_vote": True,
        "check_quorum": True,
        "parallel_write": True,
        "snapshot_every": 20,
        "trailing": 2,
        "reads": "follower",
        "forward": True,
        "witnesses": 1,
        "uncommitted_kb": 4,
        "in_flight_kb": 2,
    },
}
SEEDS = 18  # a part: 144 in all, and 60 of the plain algorithm
LONG_SEEDS = 230


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_held_against_it(part):
    settings = msgspec.structs.replace(RAFT, **PARTS[part])
    done = 0
    for seed in range(2000, 2000 + SEEDS):
        run = weather(seed, settings=settings)
        assert complaints(run) == [], f"seed {seed}: {climate(seed)}"
        done += answered(run.recording.history)
    assert done > 100 * SEEDS, "storms that let no work be done prove nothing"


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_held_against_it_in_many_storms(part):
    settings = msgspec.structs.replace(RAFT, **PARTS[part])
    for seed in range(10_000, 10_000 + LONG_SEEDS):
        assert complaints(weather(seed, settings=settings)) == [], f"seed {seed}: {climate(seed)}"
