"""The disk model: what is durable, and what a crash leaves."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.node import Stored
from cluster.disk import Disk, Record, apply_record

INSTRUCTIONS = st.one_of(
    st.tuples(st.just("save"), st.dictionaries(st.sampled_from(["term", "vote"]), st.integers(0, 9), min_size=1)),
    st.tuples(st.just("append"), st.sampled_from(["log", "other"]), st.lists(st.integers(), max_size=3).map(tuple)),
    st.tuples(st.just("cut"), st.sampled_from(["log", "other"]), st.integers(0, 4)),
)
RECORDS = st.lists(st.lists(INSTRUCTIONS, min_size=1, max_size=3).map(tuple), max_size=8)


def image_of(records: list[Record]) -> Stored:
    """What a disk holds after these records: the model's oracle, written apart from it."""
    facts: dict[str, int] = {}
    logs: dict[str, list[int]] = {}
    for record in records:
        for name, *rest in record:
            if name == "save":
                facts = {**facts, **rest[0]}
            elif name == "append":
                logs = {**logs, rest[0]: [*logs.get(rest[0], []), *rest[1]]}
            else:
                logs = {**logs, rest[0]: logs.get(rest[0], [])[: rest[1]]}
    return Stored(facts, logs)


def written(records: list[Record], synced: int) -> Disk:
    """A disk that was handed these records, the first few of them synced."""
    disk = Disk(Stored())
    for number, record in enumerate(records):
        disk.write(record)
        if number + 1 == synced:
            disk.end_sync(disk.begin_sync())
    return disk


@given(RECORDS)
def test_the_image_after_syncing_all_is_the_records_one_after_another(records: list[Record]) -> None:
    disk = written(records, len(records))
    assert disk.load() == image_of(records)


@given(RECORDS, st.integers(0, 8), st.randoms(use_true_random=False))
def test_a_crash_keeps_what_was_synced_and_a_first_part_of_the_rest(
    records: list[Record], synced: int, draw: Random
) -> None:
    synced = min(synced, len(records))
    left = written(records, synced).crash(draw)
    assert left in [image_of(records[:kept]) for kept in range(synced, len(records) + 1)]


@given(RECORDS, st.integers(0, 8), st.randoms(use_true_random=False))
def test_after_a_crash_the_disk_tells_the_records_that_are_lost(
    records: list[Record], synced: int, draw: Random
) -> None:
    disk = written(records, min(synced, len(records)))
    left = disk.crash(draw)
    kept = len(records) - len(disk.unsynced())
    assert disk.unsynced() == records[kept:]
    assert left == image_of(records[:kept])


@given(st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=30)
def test_every_prefix_of_what_was_not_synced_can_be_what_a_crash_leaves(synced: int, unsynced: int) -> None:
    records: list[Record] = [(("append", "log", (number,)),) for number in range(synced + unsynced)]
    lengths = {len(written(records, synced).crash(Random(seed)).logs.get("log", [])) for seed in range(200)}
    assert lengths == set(range(synced, synced + unsynced + 1))


@given(RECORDS, st.randoms(use_true_random=False))
def test_a_record_survives_whole_or_not_at_all(records: list[Record], draw: Random) -> None:
    """Each record stamps its number twice; a crash never leaves the two stamps apart."""
    stamped: list[Record] = [
        (("save", {"first": number}), *record, ("save", {"last": number})) for number, record in enumerate(records)
    ]
    facts = written(stamped, len(stamped) // 2).crash(draw).facts
    assert facts.get("first") == facts.get("last")


@given(RECORDS, RECORDS)
def test_a_sync_covers_what_was_written_before_it_began_and_nothing_later(
    before: list[Record], during: list[Record]
) -> None:
    disk = Disk(Stored())
    for record in before:
        disk.write(record)
    mark = disk.begin_sync()
    for record in during:
        disk.write(record)
    disk.end_sync(mark)
    assert (disk.durable, disk.asked) == (len(before), len(before) + len(during))
    assert disk.load() == image_of(before)
    assert disk.unsynced() == during


def test_what_was_loaded_is_a_copy() -> None:
    disk = written([(("append", "log", (1,)), ("save", {"term": 1}))], 1)
    loaded = disk.load()
    loaded.logs["log"].append(2)
    loaded.facts["term"] = 2
    assert disk.load() == Stored({"term": 1}, {"log": [1]})


def test_an_unknown_instruction_is_refused_by_name() -> None:
    try:
        apply_record(Stored(), (("erase", "log"),))
    except ValueError as error:
        assert "erase" in str(error)  # noqa: PT017 - the message is what is tested
    else:
        raise AssertionError("an unknown instruction was taken")
