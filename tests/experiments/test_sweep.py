"""Sweeps: a grid that goes on where it stopped, and loses no point to another."""

from pathlib import Path
from typing import Any

import pytest
from experiments_plans import SMALL
from hypothesis import given
from hypothesis import strategies as st

from experiments import batch as batches
from experiments.batch import Batch
from experiments.execute import Finished
from experiments.plan import Plan
from experiments.request import BadRequest
from experiments.store import runs
from experiments.sweep import Axis, Row, Sweep, axis_of, plan_sweep, run_sweep, summarised

AXES = [Axis("cluster.nodes", ("3", "5")), Axis("workload.register.keys", ("1", "2"))]


@pytest.fixture
def grid(tmp_path: Path) -> Sweep:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return plan_sweep(path, AXES, sets={"repeat": "2"}, fabric="sim")


def sweep(grid: Sweep, store: Path, told: Any = lambda *_: None) -> list[Row]:
    return run_sweep(grid, store, address=None, told=told)


def test_the_grid_is_the_product_of_its_axes_by_seeds(grid: Sweep) -> None:
    places = [(plan.matrix["cluster.nodes"], plan.matrix["workload.register.keys"], plan.seed) for plan in grid.plans]
    assert places == [(nodes, keys, seed) for nodes in "35" for keys in "12" for seed in (1, 2)]
    assert {len(plan.cluster.regions) for plan in grid.plans} == {3, 5}


def test_the_same_sweep_has_the_same_name_and_another_has_another(grid: Sweep, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    assert plan_sweep(path, AXES, sets={"repeat": "2"}, fabric="sim").name == grid.name
    assert plan_sweep(path, AXES, sets={"repeat": "3"}, fabric="sim").name != grid.name


def test_an_interrupted_sweep_goes_on_where_it_stopped(
    grid: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, *_: object) -> None:
        if done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("os.cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        sweep(grid, tmp_path / "s", stop)
    before = {run.origin.run for run in runs(tmp_path / "s")}
    assert len(before) == 3
    asked: list[int] = []
    rows = sweep(grid, tmp_path / "s", lambda done, total, _: asked.append(done))
    assert asked == [4, 5, 6, 7, 8]
    assert {row.summary.run for row in rows if row.summary} > before
    assert [row.plan.seed for row in rows] == [plan.seed for plan in grid.plans]
    assert len(runs(tmp_path / "s")) == 8
    again = sweep(grid, tmp_path / "s", lambda *_: pytest.fail("nothing is left to do"))
    assert [row.summary for row in again] == [row.summary for row in rows]


def test_a_lost_point_loses_no_other_and_is_tried_again_next_time(
    grid: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_run = batches._run_one

    def run_one(wanted: Batch, plan: Plan, watch: Any) -> Finished:
        if plan.matrix["cluster.nodes"] == "5" and plan.seed == 2:
            raise ZeroDivisionError("a bug at this point")
        return true_run(wanted, plan, watch)

    with monkeypatch.context() as patched:
        patched.setattr(batches, "_run_one", run_one)
        rows = sweep(grid, tmp_path / "s")
    assert [row.lost for row in rows] == [None] * 5 + ["a bug at this point", None, "a bug at this point"]
    points = list(summarised(rows, ["availability", "ok"]))
    assert [(point.runs, point.ok) for point in points] == [(2, 2), (2, 2), (2, 1), (2, 1)]
    assert all(point.medians.keys() == {"availability", "ok"} for point in points)
    asked: list[int] = []
    again = sweep(grid, tmp_path / "s", lambda done, *_: asked.append(done))
    assert asked == [7, 8]
    assert all(row.summary and row.summary.ok for row in again)


@given(
    st.lists(
        st.text("abc01%./", min_size=1, max_size=4) | st.just("[a, b]") | st.just("{a: 1, b: 2}"),
        min_size=1,
        unique=True,
    )
)
def test_commas_in_brackets_belong_to_a_value(values: list[str]) -> None:
    assert axis_of("a.b=" + ",".join(values)) == Axis("a.b", tuple(values))


@pytest.mark.parametrize("text", ["", "a", "a=", "=1", "a=1,", "a=,1", "a=1,1", "a=1, 1"])
def test_an_axis_that_is_none(text: str) -> None:
    with pytest.raises(BadRequest, match="--over"):
        axis_of(text)
