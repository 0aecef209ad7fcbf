"""The arms of tests that run on every fabric."""

from collections.abc import Iterator

import hypothesis
import pytest
from fabric_runs import Ended, RunOn, entries_of

from cluster.fabric import Director, Setup, load_fabric

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One Ray for all tests: it takes 3 to 6 s to start."""
    from cluster.live.cluster_start import ray_cluster

    with ray_cluster(None):
        yield


@pytest.fixture(scope="session", params=["sim", pytest.param("ray", marks=pytest.mark.ray)])
def fabric(request: pytest.FixtureRequest) -> str:
    """The fabric's name."""
    name: str = request.param
    if name == "ray":
        request.getfixturevalue("ray_session")
    return name


@pytest.fixture(scope="session")
def run_on(fabric: str, tmp_path_factory: pytest.TempPathFactory) -> RunOn:
    """Run a setup to its end."""

    def run(setup: Setup, director: Director) -> Ended:
        folder = tmp_path_factory.mktemp("run")
        result = load_fabric(fabric)(setup, director, folder, lambda _: None)
        return Ended(result, entries_of(setup, folder), folder)

    return run
