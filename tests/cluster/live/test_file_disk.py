"""A host's disk: what survives a crash is what was synced, and a part of what was not, in order and whole."""

import errno
import os
from pathlib import Path
from queue import SimpleQueue
from random import Random
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.node import Actor
from cluster.live.file_disk import FileDisk, Written, images, void


class Counting(Actor):
    """An actor with a log of numbers."""

    logs: ClassVar = {"log": int}


def written(folder: Path, batches: list[list[Written]], *, draw: Random | None = None) -> list[Written]:
    """Write batches of records and confirm each, on top of what is there; returns what was there."""
    disk = FileDisk(folder, "h", sync=False)
    found = disk.recover(draw or Random(1))
    for node, record in (pair for batch in batches for pair in batch):
        end = disk.write(node, [record], lambda _: None)
        assert end is not None, "without a sync it is done at once"
        disk.confirm(node, end)
    disk.close()
    return found


def mark(folder: Path, **ends: int) -> None:
    """Set the nodes' marks, as n0=..., n1=...: up to where their records are durable."""
    marks = [ends.get(f"n{node}", 0) for node in range(8)]
    (folder / "h.marks").write_bytes(b"".join(end.to_bytes(8, "little") for end in marks))


def save(node: int, number: int) -> Written:
    return node, (("save", {"number": number}),)


records = st.lists(st.builds(save, st.integers(0, 3), st.integers(0, 99)), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(records, st.data())
def test_a_crash_keeps_what_was_synced_and_a_drawn_part_of_the_rest(wanted: list[Written], data: st.DataObject) -> None:
    """Each node for itself: all up to its mark, and of the whole records behind it the first few."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, [wanted])
        log = folder / "h.log"
        ends = _ends(log.read_bytes())
        synced = {node: data.draw(st.integers(0, len(wanted))) for node in range(4)}
        mark(folder, **{f"n{node}": ends[count - 1] if count else 0 for node, count in synced.items()})
        cut = data.draw(st.integers(max(ends[max(synced.values()) - 1], 0) if any(synced.values()) else 0, ends[-1]))
        log.write_bytes(log.read_bytes()[:cut])  # and the last one written may be torn
        found = written(folder, [], draw=Random(data.draw(st.integers(0, 99))))
        whole = sum(end <= cut for end in ends)
        for node in range(4):
            own = [pair for pair in found if pair[0] == node]
            durable = [pair for pair in wanted[: synced[node]] if pair[0] == node]
            there = [pair for pair in wanted[:whole] if pair[0] == node]
            assert len(durable) <= len(own)
            assert own == there[: len(own)]
        assert written(folder, []) == found, "what one restart found, the next one finds"


def test_what_is_not_synced_does_get_lost(tmp_path: Path) -> None:
    """Over some draws every number of survivors turns up: none, 1 and 2 of the 2 that no sync covered."""
    survivors = set()
    for seed in range(20):
        folder = tmp_path / str(seed)
        written(folder, [[save(0, 1)], [save(0, 2), save(0, 3)]])
        mark(folder, n0=_ends((folder / "h.log").read_bytes())[0])
        survivors.add(len(written(folder, [], draw=Random(seed))))
    assert survivors == {1, 2, 3}


def test_a_synced_disk_tells_later_and_keeps_the_order(tmp_path: Path) -> None:
    disk = FileDisk(tmp_path, "h", sync=True)
    disk.recover(Random(1))
    told: SimpleQueue[int] = SimpleQueue()
    for number in range(5):
        assert disk.write(0, [save(0, number)[1]], told.put) is None
    ends = [told.get(timeout=5) for _ in range(5)]
    assert ends == _ends((tmp_path / "h.log").read_bytes())
    disk.confirm(0, ends[-1])
    disk.close()
    assert written(tmp_path, []) == [save(0, number) for number in range(5)]


def test_a_flipped_bit_ends_the_log_there(tmp_path: Path) -> None:
    written(tmp_path, [[save(0, 1), save(0, 2), save(0, 3)]])
    log = tmp_path / "h.log"
    data = bytearray(log.read_bytes())
    data[_ends(bytes(data))[0] + 10] ^= 1
    log.write_bytes(data)
    assert written(tmp_path, []) == [save(0, 1)]


def test_a_disk_that_fails_says_so(tmp_path: Path) -> None:
    """Whoever waits for a sync that never comes must hear why."""
    told: SimpleQueue[OSError] = SimpleQueue()
    disk = FileDisk(tmp_path, "h", sync=True, failed=told.put)
    disk.recover(Random(1))
    os.dup2(os.open("/dev/full", os.O_WRONLY), disk._log)
    disk.write(0, [save(0, 1)[1]], lambda _: None)
    assert told.get(timeout=5).errno == errno.ENOSPC


def test_nodes_of_a_host_share_the_log_and_each_finds_its_own(tmp_path: Path) -> None:
    written(tmp_path, [[save(0, 1), save(1, 10), save(0, 2)], [(1, (("append", "log", (7, 8)), ("cut", "log", 1)))]])
    found = images(written(tmp_path, []), lambda node: Counting)
    assert found[0].facts == {"number": 2}
    assert (found[1].facts, found[1].logs) == ({"number": 10}, {"log": [7]})


def test_voided_records_are_gone_and_others_stay(tmp_path: Path) -> None:
    """A node that crashes within a living host loses records that the shared log holds already."""
    written(tmp_path, [[save(0, 1), save(1, 10), save(0, 2), save(0, 3)], [(0, void(2)), save(1, 11)], [save(0, 9)]])
    found = images(written(tmp_path, []), lambda node: Counting)
    assert (found[0].facts, found[1].facts) == ({"number": 9}, {"number": 11})
    (tmp_path / "more").mkdir()
    written(tmp_path / "more", [[save(0, 1), save(0, 2), (0, void(1))]])
    assert images(written(tmp_path / "more", []), lambda node: Counting)[0].facts == {"number": 1}


def test_an_unknown_log_is_refused(tmp_path: Path) -> None:
    written(tmp_path, [[(0, (("append", "other", (1,)),))]])
    with pytest.raises(KeyError):
        images(written(tmp_path, []), lambda node: Counting)


def _ends(log: bytes) -> list[int]:
    """The offset at which each record of a log ends: its length stands in its first four bytes."""
    ends, at = [], 0
    while at < len(log):
        at += 8 + int.from_bytes(log[at : at + 4], "little")
        ends.append(at)
    return ends
