"""Many plans of one command: all run, whatever becomes of one of their processes."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from experiments_plans import SMALL, plans_of

from cluster.fabric import FabricError
from experiments import batch as batches
from experiments.batch import Batch, Errand, is_last_word, run_batch, run_errand
from experiments.execute import Finished
from experiments.plan import Plan, encode
from experiments.store import StoreError, runs
from experiments.store.parcel import unpack


@pytest.fixture
def plans(tmp_path: Path) -> list[Plan]:
    return plans_of(tmp_path, SMALL + "repeat: 4\n")


def batch(plans: list[Plan], tmp_path: Path, **more: Any) -> Batch:
    return Batch(plans=plans, store=tmp_path / "s", group="g1", **more)


def run_all(wanted: Batch) -> dict[int, Finished | Exception]:
    return dict(run_batch(wanted, lambda *_: None))


def digests(ended: dict[int, Finished | Exception]) -> list[str | None]:
    return [done.summary.digest for _, done in sorted(ended.items()) if isinstance(done, Finished)]


def test_a_pool_gives_what_one_process_gives_run_by_run(plans: list[Plan], tmp_path: Path) -> None:
    alone = run_all(batch(plans, tmp_path, workers=1))
    pooled = run_all(batch(plans, tmp_path, workers=2))
    assert sorted(pooled) == list(range(4))
    assert digests(alone) == digests(pooled)
    assert len(set(digests(alone))) == 4
    assert len(runs(tmp_path / "s")) == 8
    assert {run.origin.group for run in runs(tmp_path / "s")} == {"g1"}


def killer(plans: list[Plan], when: Any) -> Any:
    """Runs a plan, or kills its own process at some of them."""
    true_run = batches._run_one

    def run_one(wanted: Batch, plan: Plan, watch: Any) -> Finished:
        if when(plan):
            os.kill(os.getpid(), signal.SIGKILL)
        return true_run(wanted, plan, watch)

    return run_one


def test_a_process_that_dies_once_loses_no_run(
    plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run under way is tried again alone."""
    once = tmp_path / "once"

    def first_time(plan: Plan) -> bool:
        if plan.seed != 3 or once.exists():
            return False
        once.touch()
        return True

    monkeypatch.setattr(batches, "_run_one", killer(plans, first_time))
    ended = run_all(batch(plans, tmp_path, workers=2, keep_going=True))
    assert sorted(ended) == list(range(4))
    assert all(isinstance(done, Finished) for done in ended.values())


def test_a_plan_that_always_kills_its_process_is_lost_and_no_other_is(
    plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_run_one", killer(plans, lambda plan: plan.seed == 3))
    ended = run_all(batch(plans, tmp_path, workers=2, keep_going=True))
    assert sorted(ended) == list(range(4))
    assert {place for place, done in ended.items() if isinstance(done, Exception)} == {2}
    assert "its process died" in str(ended[2])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), StoreError("disk full")])
def test_a_bug_ends_a_command_and_loses_a_sweep_one_point(
    plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, error: Exception
) -> None:
    true_run = batches._run_one

    def run_one(wanted: Batch, plan: Plan, watch: Any) -> Finished:
        if plan.seed == 2:
            raise error
        return true_run(wanted, plan, watch)

    monkeypatch.setattr(batches, "_run_one", run_one)
    ended = run_all(batch(plans, tmp_path, workers=workers, keep_going=True))
    assert sorted(ended) == list(range(4))
    assert str(ended[1]) == str(error)
    with pytest.raises(type(error), match=str(error)):
        run_all(batch(plans, tmp_path, workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fabric_that_fails_is_the_last_word_unless_the_batch_keeps_going(
    plans: list[Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FabricError("no room")

    monkeypatch.setattr("experiments.execute.runner.run_plan", fail)
    ended = run_all(batch(plans, tmp_path, workers=workers))
    assert len(ended) == 1
    assert all(isinstance(done, Finished) and is_last_word(done) for done in ended.values())
    kept = run_all(batch(plans, tmp_path, workers=workers, keep_going=True))
    assert len(kept) == 4
    assert {done.summary.failed for done in kept.values() if isinstance(done, Finished)} == {"no room"}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_of_the_driver_alone_ends_what_runs_and_begins_nothing_more(tmp_path: Path, workers: int) -> None:
    text = SMALL.replace("duration: 1s", "duration: 3000s").replace("50/s", "200/s")
    plans = plans_of(tmp_path, text + "repeat: 6\n")
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_interrupt_once_running, args=(tmp_path / "s", workers), daemon=True).start()
    ended: dict[int, Any] = {}
    try:
        for place, done in run_batch(batch(plans, tmp_path, workers=workers), lambda *_: None):
            ended[place] = done
    except KeyboardInterrupt:
        pass  # it came between two runs
    finally:
        signal.signal(signal.SIGINT, kept)
    assert all(done.summary.interrupted for done in ended.values())
    assert [run.state for run in runs(tmp_path / "s")] == ["interrupted"] * workers


def _interrupt_once_running(store: Path, count: int) -> None:
    while sum(one.stat().st_size > 10_000 for one in store.glob("*/journal/*")) < count:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_folder_of_a_task_comes_home_whole(plans: list[Plan], tmp_path: Path) -> None:
    """What a Ray task does, without Ray."""
    delivery = run_errand(Errand(plans[0], "g7", b"name: small\n"))
    path = unpack(delivery.parcel, tmp_path / "s")
    (run,) = runs(tmp_path / "s")
    assert (run.path, run.state, run.origin.group) == (path, "complete", "g7")
    assert (path / "experiment.yaml").read_bytes() == b"name: small\n"
    assert encode(run.plan) == encode(plans[0])
