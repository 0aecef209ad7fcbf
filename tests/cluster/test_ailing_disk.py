"""Disks that tear, lie or rot: what is left is always what was durable, then a beginning, never with a gap."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from actors.node import Stored
from cluster.disk import Disk, apply_record, damage_done, misdirected, torn


def items(disk_or_image) -> list[int]:
    return disk_or_image.logs.get("log", [])


@given(st.lists(st.sampled_from(["write", "sync", "lie", "tear"]), max_size=20), st.integers(0, 99))
def test_whatever_happens_a_log_has_no_gap(course, seed):
    """Each record holds the next two numbers: what is found after a crash are 1, 2, 3, ... to somewhere."""
    disk, number = Disk(Stored()), 0
    for what in course:
        if what == "write":
            disk.write((("append", "log", (number + 1, number + 2)),))
            number += 2
        elif what == "tear":
            disk.tear()
        else:
            mark = disk.begin_sync()
            disk.lying = what == "lie"
            disk.end_sync(mark)
            if what == "lie":
                break  # what is written behind a lie stands behind a gap; the fault always ends in a restart
        if what == "tear":
            break
    disk.write((("append", "log", (number + 1, number + 2)),))
    found = items(disk.crash(Random(seed)))
    assert found == list(range(1, len(found) + 1))


def test_a_lying_sync_writes_nothing():
    disk = Disk(Stored())
    disk.write((("save", {"a": 1}),))
    disk.end_sync(disk.begin_sync())
    disk.write((("save", {"a": 2}),))
    mark = disk.begin_sync()
    disk.lying = True
    disk.end_sync(mark)
    assert disk.durable == 2, "so it says"
    assert disk.crash(Random(1)).facts == {"a": 1}


def test_a_torn_record_is_there_in_part():
    record = (("save", {"n": 3}), ("append", "log", (1, 2, 3, 4)))
    assert torn(record) == (("save", {"n": 3}), ("append", "log", (1, 2)))
    assert torn((("save", {"n": 3}), ("append", "log", (1,)))) == (("save", {"n": 3}),)
    assert torn((("save", {"n": 3}),)) == ()


@given(st.integers(0, 9), st.integers(0, 99))
def test_rot_cuts_a_log_at_the_item_that_is_unreadable(length, seed):
    image = Stored({}, {"log": list(range(length))})
    apply_record(image, damage_done(image, "rotten", Random(seed)))
    assert items(image) == list(range(len(items(image))))
    assert len(items(image)) < length or length == 0


def test_a_wiped_disk_is_empty():
    image = Stored({"a": 1}, {"log": [1]}, "snapshot")
    apply_record(image, damage_done(image, "wiped", Random(1)))
    assert image == Stored()


@given(st.integers(2, 9), st.integers(0, 99))
def test_a_misdirected_read_brings_a_neighbour_and_harms_nothing(length, seed):
    image = Stored({}, {"log": list(range(length))})
    read = items(misdirected(image, Random(seed)))
    assert sum(found != wanted for found, wanted in zip(read, range(length), strict=True)) == 1
    assert items(image) == list(range(length))
