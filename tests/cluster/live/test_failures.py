"""When the fabric fails: it says what happened and what to do, soon, and keeps what was recorded."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fabric_runs import entries_of
from scenario import Script, small_setup
from witnesses import Beacon, Burner, Exiting, Failing, Heard, Stumbling

from actors.node import Actor
from actors.settings import MS, SECOND, Settings
from chaos.controller import Step
from chaos.faults import FAULTS
from cluster.fabric import ActorSpec, Director, FabricError, FabricResult, Setup
from cluster.journal import FaultHealed
from cluster.live import cluster_start, fabric
from cluster.live.cluster_start import ray_cluster

pytestmark = pytest.mark.ray


def setup_of(*kinds: type[Actor]) -> Setup:
    return small_setup([ActorSpec(kind, Settings()) for kind in kinds], duration_ns=90 * SECOND)


def run(setup: Setup, folder: Path, director: Director | None = None) -> FabricResult:
    return fabric.run(setup, director or Script(), folder, lambda _: None)


@pytest.mark.usefixtures("ray_session")
class TestDuringARun:
    """A run of a minute and a half that ends early, with an error."""

    def test_a_bug_in_a_handler_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(FabricError, match=r"n1.*ZeroDivisionError: a bug in a handler"):
            run(setup_of(Failing), tmp_path)

    def test_a_host_that_dies_unasked_is_named_and_what_it_had_journalled_is_kept(self, tmp_path: Path) -> None:
        setup = setup_of(Exiting, Beacon)
        began_s = time.monotonic()
        with pytest.raises(FabricError, match="host n1 ended though no fault had killed it"):
            run(setup, tmp_path)
        assert time.monotonic() - began_s < 60
        assert {entry.node for entry in entries_of(setup, tmp_path)} == {-1, 0, 1}

    def test_a_bug_in_the_controller_is_named_and_its_faults_are_healed(self, tmp_path: Path) -> None:
        setup = setup_of(Beacon, Beacon)
        cut = msgspec.convert({"isolate": ["n1"]}, FAULTS["partition"])
        director = Stumbling((Step("partition", cut, 200 * MS, None, None),), seed=1, duration_ns=30 * SECOND)
        with pytest.raises(FabricError, match="ZeroDivisionError: a bug in the controller"):
            run(setup, tmp_path, director)
        entries = entries_of(setup, tmp_path)
        assert [entry.item.number for entry in entries if isinstance(entry.item, FaultHealed)] == [0]
        assert any(isinstance(entry.item, Heard) for entry in entries)


@pytest.mark.usefixtures("ray_session")
def test_a_machine_that_cannot_keep_up_is_marked(tmp_path: Path) -> None:
    """Overloaded on purpose: handlers that need four seconds of processor a second."""
    setup = msgspec.structs.replace(setup_of(Beacon, Burner), duration_ns=1500 * MS)
    result = run(setup, tmp_path)
    assert result.too_small
    assert any("machine too small" in note for note in result.notes)


@pytest.mark.usefixtures("ray_session")
class TestBeforeARun:
    """What can't start ends with a reason, not with silence."""

    def test_an_actor_that_cannot_be_placed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ray itself would wait for ever: no node of the cluster has what the actor asks for."""
        nowhere: Any = fabric.ConductorActor.options(resources={"nowhere": 1})
        monkeypatch.setattr(fabric, "START_TIMEOUT_S", 1.5)
        monkeypatch.setattr(fabric.ConductorActor, "options", lambda **_: nowhere)
        with pytest.raises(FabricError, match=r"no host within .* no room .*ray status.* fewer nodes"):
            run(setup_of(Beacon), tmp_path)

    def test_a_disk_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "disk").write_text("in the way")
        with pytest.raises(FabricError, match=r"hosts could not be started: .*disk"):
            run(setup_of(Beacon), tmp_path)


def test_a_cluster_that_nobody_answers_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would try for minutes."""
    began_s = time.monotonic()
    monkeypatch.setattr(cluster_start.ray, "is_initialized", lambda: False)
    with (
        pytest.raises(FabricError, match=r"can.t join the Ray cluster at 127\.0\.0\.1:1: .*refused"),
        ray_cluster("127.0.0.1:1"),
    ):
        pass
    assert time.monotonic() - began_s < 6


def test_a_ray_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(cluster_start.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster_start.ray, "init", fail)
    with pytest.raises(FabricError, match=r"No space left on device.*--fabric sim"), ray_cluster(None):
        pass
