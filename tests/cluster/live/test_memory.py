"""A run that is larger than the machine is refused before it starts, with the density that would fit."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import small_setup
from witnesses import Beacon

from actors.settings import Settings
from cluster.fabric import ActorSpec, FabricError, Setup
from cluster.live.memory import refuse_too_large


def setup_of(nodes: int, density: int) -> Setup:
    return msgspec.structs.replace(small_setup([ActorSpec(Beacon, Settings())] * nodes), density=density)


def refused(setup: Setup, free_mb: float) -> str:
    """Why a setup is refused; "" if it is not."""
    try:
        refuse_too_large(setup, free_mb=free_mb)
    except FabricError as refusal:
        return str(refusal)
    return ""


def test_a_thousand_processes_do_not_fit_into_24_gb() -> None:
    with pytest.raises(
        FabricError, match=r"1000 nodes at 1 a process need about 85\.\d GB, and 24\.0 GB are free here"
    ):
        refuse_too_large(setup_of(1000, 1), free_mb=24_000)


@given(st.integers(1, 3000), st.integers(1, 50), st.floats(100, 64_000))
def test_the_density_that_is_named_fits(nodes: int, density: int, free_mb: float) -> None:
    refusal = refused(setup_of(nodes, density), free_mb)
    named = re.search(r"density: (\d+)", refusal)
    if named is None:
        assert refusal == "" or "fewer nodes" in refusal
        return
    assert int(named[1]) > density
    refuse_too_large(setup_of(nodes, int(named[1])), free_mb=free_mb)


def test_a_small_run_is_let_through() -> None:
    refuse_too_large(setup_of(5, 1), free_mb=4_000)
