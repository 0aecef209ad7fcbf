"""How runs and groups are named."""

from pathlib import Path

import pytest

from experiments.plan import ClusterPlan, PartPlan, Plan, WorkloadPlan
from experiments.store import StoreError, create, find_group, find_run

PLAN = Plan(
    experiment="election",
    seed=7,
    duration_ns=5_000_000_000,
    cluster=ClusterPlan(regions=("us-east-1",), latency="aws-2025"),
    system=PartPlan(name="raft", settings={}),
    workloads=(WorkloadPlan(called="register", name="register", settings={}),),
)
IDS = ("aaaa0001", "aaaa0002", "bbbb0003", "cccc0004")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four runs, in this order; the second and third are one group."""
    ids = iter(IDS)
    monkeypatch.setattr("experiments.store.folder.secrets.token_hex", lambda _: next(ids))
    for group in ("g1", "g2", "g2", "g3"):
        with create(tmp_path, PLAN, group=group):
            pass
    return tmp_path


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("aaaa0001", "aaaa0001"),
        ("b", "bbbb0003"),
        ("@last", "cccc0004"),
        ("@last~0", "cccc0004"),
        ("@last~3", "aaaa0001"),
        ("@last-group", "cccc0004"),
    ],
)
def test_a_run_is_named_by_id_prefix_or_place(store, name, run):
    assert find_run(store, name).origin.run == run


def test_a_run_is_named_by_its_folder_or_its_plan(store):
    path = find_run(store, "bbbb0003").path
    for name in (path.name, str(path), str(path / "plan.json")):
        assert find_run(store, name).path == path


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("aaaa", r"'aaaa' names 2 runs: .*aaaa0002, .*aaaa0001"),
        ("bbbb0004", r"names no run .*near: .*bbbb0003"),
        ("zz", r"names no run .*splitbrain list"),
        ("", r"names no run"),
        ("@last~4", r"holds 4 run\(s\)"),
        ("@lst", r"write @last"),
        ("@last~-1", r"write @last"),
        ("@last-group~1", r"names a group of 2 runs: .*aaaa0002, .*bbbb0003"),
    ],
)
def test_a_name_that_fits_none_or_several_is_told_so(store, name, told):
    with pytest.raises(StoreError, match=told):
        find_run(store, name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g2", ["aaaa0002", "bbbb0003"]),
        ("@last-group", ["cccc0004"]),
        ("@last-group~1", ["aaaa0002", "bbbb0003"]),
        ("bbbb0003", ["bbbb0003"]),
    ],
)
def test_a_group_is_its_runs_in_order_and_a_run_stands_for_itself(store, name, expected):
    assert [run.origin.run for run in find_group(store, name)] == expected


def test_an_empty_store_says_how_to_fill_it(tmp_path):
    with pytest.raises(StoreError, match="splitbrain run FILE"):
        find_run(tmp_path / "none", "@last")
