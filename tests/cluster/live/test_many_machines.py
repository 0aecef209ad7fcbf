"""Several machines: regions go where they are offered, clocks have a bound, a lost machine is treated as the file says.

The machines are raylets on this one; `apart` has the fabric treat them as different machines.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from scenario import small_setup
from witnesses import Beacon

from actors.settings import MS, SECOND, Settings
from cluster.fabric import ActorSpec, Setup
from cluster.live.placement import lay_out
from cluster.live.socket import LOOPBACK

ROOT = Path(__file__).parents[3]
N3 = 2  # whose region's raylet is killed


def setup_of(regions: tuple[str, ...], servers: int, density: int = 1) -> Setup:
    specs = [ActorSpec(Beacon, Settings())] * len(regions)
    return msgspec.structs.replace(small_setup(specs[:servers], specs[servers:], regions=regions), density=density)


def test_a_region_goes_to_the_nodes_that_offer_it() -> None:
    setup = setup_of(("eu", "us", "eu", "ap", "us"), servers=4)
    ground = lay_out(setup, {"region_eu", "region_us"}, ray_nodes=3, alone=False)
    wanted = {name: list(place.resources) for name, place in ground.places.items()}
    assert wanted == {
        "n1": ["region_eu"],
        "n2": ["region_us"],
        "n3": ["region_eu"],
        "n4": [],
        "clients-us": ["region_us"],
    }
    assert ground.ip is None, "each host binds to its machine's own address"
    (note,) = ground.notes
    assert "region_ap" in note
    assert "region_eu" not in note


def test_nodes_of_two_regions_share_no_host() -> None:
    setup = setup_of(("eu", "us", "eu", "us", "eu"), servers=5, density=2)
    ground = lay_out(setup, set(), ray_nodes=1, alone=True)
    assert [place.nodes for place in ground.places.values()] == [(0, 2), (4,), (1, 3)]
    assert (ground.ip, ground.notes) == (LOOPBACK, ())


def lose_a_raylet(folder: Path, host_loss: str, how: str) -> dict[str, Any]:
    """Run a Raft over three raylets and kill that of n3 a second into the run; gives what became of it."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "raylets_driver.py"), str(folder), host_loss, how],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.mark.ray
def test_a_machine_that_is_lost_stays_down_where_the_file_says_so(tmp_path: Path) -> None:
    """The run goes on without it; the journals of all the others come whole, their clocks within a bound."""
    said = lose_a_raylet(tmp_path / "run", "stay_down", "apart")
    assert said["failure"] is None
    assert any("host n3 ended though no fault had killed it" in note for note in said["notes"])
    assert said["stopped"] == [N3]
    assert said["starts"] == [[0], [0], [0], [0]]
    assert min(said["last_ns"][node] for node in (0, 1, 3)) > 8 * SECOND, "the others ran to the end"
    assert 0 < said["clocks"]["n2"] < 200 * MS, "a host elsewhere: its clock is known to within a bound"
    assert said["clocks"]["n1"] == 0, "a host beside the driver has the driver's clock"
    assert "n3-0.msgpack" in said["journals"], "what the lost machine had sent is kept"


@pytest.mark.ray
@pytest.mark.long
class TestOtherRules:
    """Of what becomes of a run that loses a machine."""

    def test_it_fails_if_nothing_is_said(self, tmp_path: Path) -> None:
        said = lose_a_raylet(tmp_path / "run", "fail", "together")
        assert "host n3 ended though no fault had killed it" in said["failure"]
        assert said["took_s"] < 40

    def test_it_restarts_elsewhere_on_its_disk(self, tmp_path: Path) -> None:
        """The disk folder lies on this machine, which the other raylets can reach too."""
        said = lose_a_raylet(tmp_path / "run", "restart", "together")
        assert said["failure"] is None
        assert said["starts"][N3] == [0, 1]

    def test_it_never_restarts_on_an_empty_disk(self, tmp_path: Path) -> None:
        said = lose_a_raylet(tmp_path / "run", "restart", "apart")
        assert "host n3" in said["failure"]
        assert "disk" in said["failure"]
        assert said["starts"][N3] == [0]
