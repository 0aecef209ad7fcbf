"""How much is recorded changes what is kept, never what happens."""

from pathlib import Path

import pytest

import splitbrain

EXPERIMENT = {
    "name": "levels",
    "cluster": {"nodes": 3, "cpu": {"message": "200us"}, "bandwidth": "10Mbit/s"},
    "system": "raft",
    "workload": {"register": {"clients": 6, "rate": "200/s"}},
    "duration": "3s",
    "chaos": [{"at": "1s", "partition": {"isolate": "leader"}, "for": "500ms"}],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, splitbrain.Run]:
    store = tmp_path_factory.mktemp("runs")
    levels = ("history", "events", "messages")
    return {level: splitbrain.run({**EXPERIMENT, "record": level}, store=store).runs[0] for level in levels}


def test_the_digest_is_that_of_any_other_level(runs: dict[str, splitbrain.Run]) -> None:
    assert len({run.stored.summary.digest for run in runs.values()}) == 1


def test_each_level_includes_those_before(runs: dict[str, splitbrain.Run]) -> None:
    kinds = {level: {type(seen.event).__name__ for seen in run.recording().events} for level, run in runs.items()}
    assert kinds["history"] < kinds["events"] == kinds["messages"]
    assert {level: run.recording().history for level, run in runs.items()}["history"] == runs[
        "events"
    ].recording().history
    assert [bool(run.recording().messages) for run in runs.values()] == [False, False, True]


def test_every_message_is_recorded_where_it_was_sent(runs: dict[str, splitbrain.Run]) -> None:
    """The messages add up to the traffic that the loop counted, and their types to all of them."""
    recording, metrics = runs["messages"].recording(), runs["messages"].metrics
    sent = [seen.event for seen in recording.messages]
    assert len(sent) == metrics["messages_sent"]
    by_type = [value for name, value in metrics.items() if name.startswith("messages_sent[type=")]
    assert sum(by_type) == len(sent)
    assert sum(not message.due_ns for message in sent) > 0, "the partition dropped some"


def test_a_busy_cpu_is_told_and_an_endless_one_is_not(runs: dict[str, splitbrain.Run], tmp_path: Path) -> None:
    """Its time is that of the messages that the servers handled."""
    metrics = runs["messages"].metrics
    handled = sum(len(seen.event.due_ns) for seen in runs["messages"].recording().messages if seen.event.target < 3)
    busiest_s = metrics["utilisation_max"] * runs["messages"].recording().end_ns / 1e9
    assert handled * 200e-6 / 3 <= busiest_s <= handled * 200e-6
    assert metrics["queue_depth_max"] >= 1
    free = splitbrain.run({**EXPERIMENT, "cluster": {"nodes": 3}}, store=tmp_path).runs[0]
    assert "utilisation_max" not in free.metrics
