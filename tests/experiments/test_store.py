"""A run's folder from its creation to its end: whole at any moment, and in one clear state."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from actors.history import Invoke, Return
from cluster.journal import Journal
from experiments import plan as plans
from experiments.plan import ClusterPlan, PartPlan, Plan, WorkloadPlan
from experiments.store import (
    OpenRun,
    StoreError,
    Summary,
    create,
    load_recording,
    open_run,
    runs,
    seal,
    tables,
    unreadable,
)
from experiments.store.recorded import JOURNALS

ROOT = Path(__file__).resolve().parents[2]

PLAN = Plan(
    experiment="Two leaders / one term!",
    seed=7,
    duration_ns=5_000_000_000,
    cluster=ClusterPlan(regions=("us-east-1", "us-east-1", "eu-west-1"), latency="aws-2025"),
    system=PartPlan(name="raft", settings={}),
    workloads=(WorkloadPlan(called="register", name="register", settings={"clients": 3}),),
)

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_store import PLAN, journal, create
run = create(Path({store!r}), PLAN, group="g1")
written = journal(run.path)
print(run.path, flush=True)
signal.pause()
"""


def summary_of(run: OpenRun, *, ok: bool = True, failed: str | None = None, interrupted: bool = False) -> Summary:
    return Summary(
        run=run.origin.run,
        dir=str(run.path),
        experiment=PLAN.experiment,
        variant=None,
        fabric="sim",
        seed=7,
        params={},
        digest="d",
        ok=ok,
        failed=failed,
        interrupted=interrupted,
    )


def journal(folder: Path) -> Journal:
    """A journal of two operations, the second open, on a host whose clock began at 1,000 ns; flushed, not closed."""
    (folder / JOURNALS).mkdir(exist_ok=True)
    written = Journal(folder / JOURNALS / "host.msgpack", host="host", origin_ns=1_000)
    written.write(1_010, 3, Invoke(0, "register", "write", "k1", 1, 10))
    written.write(1_030, 3, Return(0, "ok", None))
    written.write(1_040, 3, Invoke(1, "register", "read", "k1", None, 40))
    written.flush()
    return written


def test_the_plan_file_is_a_plan_and_says_where_the_run_comes_from(tmp_path):
    with create(tmp_path, PLAN, group="g1", source=b"name: x\n") as run:
        assert plans.decode((run.path / "plan.json").read_bytes()) == PLAN
        assert (run.path / "experiment.yaml").read_bytes() == b"name: x\n"
    origin = open_run(run.path).origin
    assert (origin.group, origin.run) == ("g1", run.path.name[-8:])
    assert {"python", "msgspec", "duckdb"} <= origin.versions.keys()
    assert {"system", "cpus", "memory_bytes"} <= origin.machine.keys()


def test_a_folder_is_running_while_its_lock_is_held_and_cut_off_after_that(tmp_path):
    with create(tmp_path, PLAN, group="g1") as run:
        assert open_run(run.path).state == "running"
        assert open_run(run.path).state == "running"  # to ask takes nothing away
    assert open_run(run.path).state == "cut off"


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ({}, "complete"),
        ({"ok": False}, "complete"),
        ({"failed": "no ray"}, "failed"),
        ({"interrupted": True}, "interrupted"),
    ],
)
def test_the_summary_ends_a_run(tmp_path, ending, state):
    with create(tmp_path, PLAN, group="g1") as run:
        run.finish(summary_of(run, **ending))
        assert open_run(run.path).state == state


def test_a_killed_driver_leaves_a_folder_that_is_cut_off_and_can_be_read(tmp_path):
    code = KILLED.format(tests=str(Path(__file__).parent), store=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    path = Path(child.stdout.readline().strip())
    assert open_run(path).state == "running"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert open_run(path).state == "cut off"
    history = load_recording(path).history
    assert [(one.function, one.invoke_ns, one.return_ns, one.outcome) for one in history] == [
        ("write", 10, 30, "ok"),
        ("read", 40, None, "info"),
    ]


def test_runs_started_in_the_same_moment_get_folders_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create(tmp_path / "store", PLAN, group="g1"), range(40)))
    assert len({run.path for run in made}) == len(runs(tmp_path / "store")) == 40
    for run in made:
        run.__exit__(None, None, None)


def test_a_folder_that_is_not_complete_yet_is_in_no_list(tmp_path, monkeypatch):
    seen = []
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, to: (seen.append(runs(tmp_path)), rename(self, to))[1])
    create(tmp_path, PLAN, group="g1").__exit__(None, None, None)
    assert len(seen) == 2  # of plan.json, and of the folder
    assert not any(seen)


def test_the_name_of_a_folder_holds_nothing_that_a_shell_minds(tmp_path):
    with create(tmp_path, PLAN, group="g1") as run:
        assert run.path.name[15:-9] == "-two-leaders-one-term"


def test_a_folder_that_was_moved_says_where_it_is_now(tmp_path):
    with create(tmp_path / "a", PLAN, group="g1") as run:
        run.finish(summary_of(run))
    moved = run.path.rename(tmp_path / "elsewhere")
    summary = open_run(moved).summary
    assert summary is not None
    assert summary.dir == str(moved)


def test_journals_become_parquet_and_go(tmp_path):
    with create(tmp_path, PLAN, group="g1") as run:
        journal(run.path).close()
        before = load_recording(run.path)
        assert seal(run.path, PLAN) == before
    assert not (run.path / JOURNALS).exists()
    assert load_recording(run.path) == before


def test_journals_stay_until_every_table_is_on_disk(tmp_path, monkeypatch):
    copy = tables._copy

    def full(connection, path, *rest, **more):
        if path.name == tables.EVENTS:
            raise OSError("disk full")
        copy(connection, path, *rest, **more)

    with create(tmp_path, PLAN, group="g1") as run:
        journal(run.path).close()
        before = load_recording(run.path)
        monkeypatch.setattr(tables, "_copy", full)
        with pytest.raises(OSError, match="disk full"):
            seal(run.path, PLAN)
    assert load_recording(run.path) == before


def test_a_journal_that_breaks_off_counts_up_to_there(tmp_path):
    with create(tmp_path, PLAN, group="g1") as run:
        journal(run.path).close()
        file = run.path / JOURNALS / "host.msgpack"
        file.write_bytes(file.read_bytes() + b"\x93\x93\xcd\x04")
    assert len(load_recording(run.path).history) == 2


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b"{", b'{"format": 99}'])
def test_a_folder_that_cannot_be_read_is_named_and_spoils_no_list(tmp_path, content):
    create(tmp_path, PLAN, group="g1").__exit__(None, None, None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "plan.json").write_bytes(content)
    assert len(runs(tmp_path)) == 1
    assert ["broken" in reason for reason in unreadable(tmp_path)] == [True]


def test_a_newer_format_is_refused(tmp_path):
    with create(tmp_path, PLAN, group="g1") as run:
        run.finish(msgspec.structs.replace(summary_of(run), format=2))
    with pytest.raises(StoreError, match="format 2 is newer"):
        open_run(run.path)


def test_a_store_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"no run folder can be made in .*file"):
        create(tmp_path / "file", PLAN, group="g1")


def test_tables_that_are_no_parquet_are_an_error_that_names_the_folder(tmp_path):
    with create(tmp_path, PLAN, group="g1") as run:
        journal(run.path).close()
        seal(run.path, PLAN)
    (run.path / tables.EVENTS).write_bytes(b"PAR1 or not")
    with pytest.raises(StoreError, match=run.path.name):
        load_recording(run.path)
