"""`splitbrain sweep`: a grid with one table, which goes on where it stopped."""

import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from cli.command import SMALL, splitbrain, write

from experiments.store import runs

QUICK = SMALL.replace("3s", "2s")
NUMBERS = ",".join(map(str, range(3, 1003)))


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_the_grid_is_run_summed_up_and_kept_as_one_row_a_run(tmp_path: Path) -> None:
    grid = ("--over", "cluster.nodes=3,5", "--over", "cluster.fsync=0ms,5ms")
    asked = ("sweep", write(tmp_path, QUICK), *grid, "--seeds", 2, "--json")
    said = splitbrain(*asked, store=tmp_path / "s")
    assert said.code == 0
    document = said.document
    places = [(point["place"]["cluster.nodes"], point["place"]["cluster.fsync"]) for point in document["points"]]
    assert places == [("3", "0ms"), ("3", "5ms"), ("5", "0ms"), ("5", "5ms")]
    assert {(point["runs"], point["ok"]) for point in document["points"]} == {(2, 2)}
    assert document["lost"] == []
    rows = duckdb.sql(f"SELECT \"cluster.nodes\", seed, availability, ok FROM '{document['file']}'").fetchall()
    assert len(rows) == 8
    assert {row[1] for row in rows} == {1, 2}
    again = splitbrain(*asked, store=tmp_path / "s")
    assert again.document == document, "nothing is run twice"
    assert len(runs(tmp_path / "s")) == 8


def test_another_file_or_axis_is_another_sweep(tmp_path: Path) -> None:
    first = splitbrain("sweep", write(tmp_path, QUICK), "--json", store=tmp_path / "s").document
    other = splitbrain(
        "sweep", write(tmp_path, QUICK), "--set", "cluster.nodes=5", "--json", store=tmp_path / "s"
    ).document
    assert first["sweep"] != other["sweep"]


def test_a_point_that_does_not_hold_is_exit_code_1_and_no_lost_one(tmp_path: Path) -> None:
    text = QUICK.replace("availability >= 1%", "latency_p50_ms <= 4ms")
    said = splitbrain(
        "sweep", write(tmp_path, text), "--over", "cluster.fsync=0ms,50ms", "--json", store=tmp_path / "s"
    )
    assert said.code == 1
    assert [point["ok"] for point in said.document["points"]] == [1, 0]
    assert said.document["lost"] == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--over", "cluster.nodes"], "write it as path=a,b,c"),
        (["--over", "cluster.nodes="], "write it as path=a,b,c"),
        (["--over", "cluster.nodes=3,,5"], "write it as path=a,b,c"),
        (["--over", "cluster.nodes=3,3"], "a value stands twice"),
        (["--over", "cluster.nodes=3", "--over", "cluster.nodes=5"], "name the same path"),
        (["--over", "cluster.node=3"], "unknown key 'node'; did you mean nodes?"),
        (["--over", "cluster.nodes=three"], "'three' is not a whole number"),
        (["--over", f"cluster.nodes={NUMBERS}", "--over", f"workload.register.keys={NUMBERS}"],
         "the grid has 1,000,000 points; 10,000 are allowed"),
        (["--over", "cluster.nodes=3,5", "--seeds", "100000"], "the grid makes 200,000 runs; 100,000 are allowed"),
        (["--store", "/proc/none/x"], "/proc/none/x"),
    ],
)  # fmt: skip
def test_a_wrong_grid_is_refused_before_anything_runs(tmp_path: Path, args: list[str], says: str) -> None:
    said = splitbrain("sweep", write(tmp_path, QUICK), *args, store=tmp_path / "s")
    assert said.code == 2
    assert says in said.err
    assert not (tmp_path / "s").exists()
