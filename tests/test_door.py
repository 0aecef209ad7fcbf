"""The door for Python programs, as a notebook uses it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import splitbrain
from cluster.fabric import FabricError
from experiments.request import BadRequest
from experiments.spec import InvalidFile
from experiments.store import StoreError

ROOT = Path(splitbrain.__file__).parent
SMALL: dict[str, Any] = {
    "name": "door",
    "cluster": {"nodes": 3},
    "system": "raft",
    "workload": {"register": {"rate": "50/s", "clients": 3, "timeout": "500ms"}},
    "duration": "1s",
    "check": ["linearizable"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("door")


@pytest.fixture(scope="module")
def runs(store: Path) -> splitbrain.Runs:
    """Two variants by two seeds, out of a mapping."""
    variants = {"plain": {}, "slow": {"cluster.fsync": "20ms"}}
    more = {"variants": variants, "repeat": 2, "expect": ["plain.latency_p50_ms <= slow.latency_p50_ms"]}
    return splitbrain.run(SMALL | more, store=store)


def test_a_mapping_is_an_experiment(runs: splitbrain.Runs) -> None:
    assert runs.ok
    assert [(line.holds, line.variants) for line in runs.expect] == [(True, ("plain", "slow"))]
    assert [one["linearizable"].valid for one in runs.verdicts()] == [True] * 4
    assert all(run.metrics["ok"] > 0 for run in runs.runs)


def test_a_file_its_plan_and_its_run_are_the_same_experiment(tmp_path: Path) -> None:
    path = tmp_path / "door.yaml"
    path.write_text(json.dumps(SMALL))  # JSON is YAML too
    (first,) = splitbrain.run(path, store=tmp_path, seed=5).runs
    again = [
        splitbrain.run(target, store=tmp_path).runs[0]
        for target in (first.stored.path / "plan.json", first.stored.origin.run)
    ]
    assert {run.stored.summary.digest for run in (first, *again) if run.stored.summary} == {_digest(first)}
    (mapping,) = splitbrain.run(SMALL, store=tmp_path, seed=5).runs
    assert _digest(mapping) == _digest(first)


def _digest(run: splitbrain.Run) -> str | None:
    return run.stored.summary.digest if run.stored.summary else None


def test_histories_events_and_seconds_are_relations_that_know_their_run(runs: splitbrain.Runs) -> None:
    history = runs.history()
    assert {"run", "variant", "seed", "function", "outcome"} <= set(history.columns)
    by_run = dict(history.aggregate("run, count(*)").fetchall())
    assert by_run == {run.stored.origin.run: len(run.recording().history) for run in runs.runs}
    assert set(history.aggregate("variant, seed").fetchall()) == {(v, s) for v in ("plain", "slow") for s in (1, 2)}
    assert runs.events().count("*").fetchall()[0][0] > 0
    assert runs.seconds().count("*").fetchall()[0][0] > 0


def test_a_history_is_a_frame_for_who_has_pandas_and_an_arrow_table_for_who_has_pyarrow(runs: splitbrain.Runs) -> None:
    rows = sum(len(run.recording().history) for run in runs.runs)
    pytest.importorskip("pyarrow")
    assert runs.history().to_arrow_table().num_rows == rows
    pytest.importorskip("pandas")
    assert len(runs.history().df()) == rows


def test_one_runs_history_is_a_relation_too_even_without_a_variant(tmp_path: Path) -> None:
    (run,) = splitbrain.run(SMALL, store=tmp_path).runs
    assert run.history().aggregate("variant, seed, count(*)").fetchall() == [(None, 1, len(run.recording().history))]


def test_runs_with_and_without_a_variant_stand_in_one_relation(runs: splitbrain.Runs, tmp_path: Path) -> None:
    (alone,) = splitbrain.run(SMALL, store=tmp_path).runs
    mixed = splitbrain.Runs([alone, *runs.runs], "g", True, ())
    assert {row[0] for row in mixed.history().aggregate("variant").fetchall()} == {None, "plain", "slow"}


def test_figures_are_one_row_a_run(runs: splitbrain.Runs) -> None:
    rows = runs.metrics()
    assert [(row["variant"], row["seed"]) for row in rows] == [("plain", 1), ("plain", 2), ("slow", 1), ("slow", 2)]
    assert rows[2]["cluster.fsync"] == "20ms"
    assert all(row["ok"] is not None and row["availability"] > 0 for row in rows)


def test_a_run_is_loaded_by_any_of_its_names(runs: splitbrain.Runs, store: Path) -> None:
    first = runs.runs[0].stored
    for name in (first.path, first.origin.run, first.path.name):
        assert splitbrain.load_run(name, store=store).stored.path == first.path
    with pytest.raises(StoreError, match="names no run"):
        splitbrain.load_run("nope", store=store)


def test_what_may_be_set_beside_the_experiment(tmp_path: Path) -> None:
    changed = splitbrain.run(
        SMALL, store=tmp_path, seed=3, repeat=2, duration="2s", sets={"cluster.nodes": "5", "workload.register.keys": 2}
    )
    plans = [run.stored.plan for run in changed.runs]
    assert [(plan.seed, plan.duration_ns, len(plan.cluster.regions)) for plan in plans] == [
        (3, 2 * 10**9, 5),
        (4, 2 * 10**9, 5),
    ]
    assert plans[0].workloads[0].settings["keys"] == 2


@pytest.mark.parametrize(
    ("experiment", "error", "says"),
    [
        (SMALL | {"duration": 5}, InvalidFile, "needs a unit: 5s"),
        (SMALL | {"clutser": {}}, InvalidFile, "did you mean cluster"),
        (SMALL | {"seed": {1, 2}}, InvalidFile, "a set can't stand in an experiment"),
        ({}, InvalidFile, "missing"),
        ("none.yaml", InvalidFile, "No such file"),
        ("@last", StoreError, "there is no run"),
        ("none.json", BadRequest, "can't be read"),
    ],
)
def test_what_is_wrong_is_raised_as_an_error_that_says_so(
    tmp_path: Path, experiment: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        splitbrain.run(experiment, store=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_fabric_that_fails_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FabricError("no room")

    monkeypatch.setattr("experiments.execute.runner.run_plan", fail)
    with pytest.raises(FabricError, match="no room"):
        splitbrain.run(SMALL, store=tmp_path)


def test_a_claim_that_is_not_as_declared_is_not_ok(tmp_path: Path) -> None:
    claim = {"id": "C1", "says": "instant", "metric": "latency_p50_ms", "figure": "1ns"}
    false = splitbrain.run(SMALL | {"claim": [claim]}, store=tmp_path)
    assert (false.ok, false.claims[0].verdict) == (False, "disagrees")
    told = splitbrain.run(SMALL | {"claim": [claim | {"verdict": "disagrees", "because": "no"}]}, store=tmp_path)
    assert told.ok


def test_the_example_of_the_docstring_runs(tmp_path: Path) -> None:
    """Both of its snippets, word for word, in a fresh process."""
    assert splitbrain.__doc__ is not None
    blocks = [block for block in splitbrain.__doc__.split("\n\n") if block.startswith("    ")]
    code = "\n".join(line.removeprefix("    ") for block in blocks for line in block.splitlines())
    assert "import splitbrain" in code
    shown = code.replace('"experiments/', f'"{ROOT}/experiments/')
    process = subprocess.run(
        [sys.executable, "-c", shown],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert "count_star()" in process.stdout
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_package_of_the_users_that_shadows_one_of_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "actors").mkdir()
    (tmp_path / "actors" / "__init__.py").write_text("")
    process = subprocess.run(
        [sys.executable, str(ROOT / "splitbrain.py"), "list"],
        env={"PYTHONPATH": str(tmp_path), "PATH": ""}, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    shadowed = subprocess.run(
        [sys.executable, "-c", "import splitbrain; splitbrain.check_packages()"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""}, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, "a script's own folder comes first"
    assert str(tmp_path / "actors") in shadowed.stderr
