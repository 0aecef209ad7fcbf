"""The arms of tests that run on every fabric."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from fabric_runs import Ended, RunOn, entries_of

from cluster.fabric import Director, Setup, load_fabric

# A busy machine is no failure, hence no deadlines. `make test` tries the same examples each time, so that a red run is
# the change's doing; `make test-long` searches further, with examples of its own.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("SPLITBRAIN_EXAMPLES", "same"))


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
