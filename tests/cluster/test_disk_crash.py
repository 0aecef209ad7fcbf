"""What a crash leaves of a disk can be told from what it has lost: the Ray fabric voids the rest in its log."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from actors.node import Stored
from cluster.disk import Disk


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 99))
def test_what_a_crash_lost_is_what_is_unsynced_afterwards(synced: int, asked: int, seed: int) -> None:
    disk = Disk(Stored())
    for number in range(synced):
        disk.write((("append", "log", (number,)),))
    disk.end_sync(disk.begin_sync())
    for number in range(synced, synced + asked):
        disk.write((("append", "log", (number,)),))
    before = disk.unsynced()
    image = disk.crash(Random(seed))
    survivors = image.logs.get("log", [])
    assert survivors == list(range(len(survivors)))
    assert synced <= len(survivors) <= synced + asked
    assert disk.unsynced() == before[len(survivors) - synced :]
