"""Spec -> plans: a pure function that fills in every default."""

from itertools import product
from pathlib import Path

import msgspec
import pytest
from experiments_plans import SMALL, plans_of
from hypothesis import given
from hypothesis import strategies as st

from actors.systems import SYSTEMS
from experiments.plan import decode, encode
from experiments.runner import setup_of, topology_of
from experiments.spec.models import file_model
from experiments.unfold import seeds


def test_the_same_file_gives_the_same_plans_which_read_back(tmp_path: Path) -> None:
    text = SMALL + "variants: {a: {}, b: {duration: 2s}}\nmatrix: {cluster.nodes: [3, 5]}\nrepeat: 2\n"
    plans = plans_of(tmp_path, text)
    assert plans == plans_of(tmp_path, text)
    assert [encode(decode(encode(plan))) for plan in plans] == [encode(plan) for plan in plans]
    assert [(plan.variant, len(plan.cluster.regions), plan.seed) for plan in plans] == list(
        product("ab", (3, 5), (1, 2))
    )


def test_every_default_is_filled_in(tmp_path: Path) -> None:
    (plan,) = plans_of(tmp_path)
    assert plan.system.settings.keys() == {
        field.name for field in msgspec.structs.fields(SYSTEMS["raft"].settings_type)
    }
    assert (plan.cluster.latency, plan.cluster.density, plan.cluster.fsync_ns) == ("lan", 1, 1_000_000)
    assert plan.workloads[0].settings["mix"] == {"read": 0.5, "write": 0.5}
    assert setup_of(plan, name="x").topology == topology_of(plan)


@given(st.integers(0, 2**62), st.integers(1, 50))
def test_seeds_count_up_from_the_one_given(first: int, repeat: int) -> None:
    assert seeds(_file(seed=first, repeat=repeat)) == tuple(range(first, first + repeat))


@given(st.lists(st.integers(0, 2**62), min_size=2, max_size=9, unique=True))
def test_a_list_of_seeds_is_taken_as_it_is(listed: list[int]) -> None:
    assert seeds(_file(seed=listed)) == tuple(listed)


def _file(**more: object):  # type: ignore[no-untyped-def]
    said = {"name": "t", "cluster": {"nodes": 3}, "system": "raft", "workload": "register", "duration": "5s"}
    return file_model().model_validate(said | more)


@pytest.mark.parametrize(("nodes", "density"), [(1, 1), (16, 1), (17, 2), (33, 3)])
def test_up_to_16_nodes_have_an_actor_each(tmp_path: Path, nodes: int, density: int) -> None:
    (plan,) = plans_of(tmp_path, SMALL.replace("nodes: 3", f"nodes: {nodes}"))
    assert plan.cluster.density == density


def test_a_line_goes_to_the_runs_that_it_speaks_of_and_to_the_group_if_it_takes_several(tmp_path: Path) -> None:
    lines = "['a: ok >= 1', 'ok >= 2', 'a.ok >= b.ok', 'b: ok >= 3 in 50% of runs']"
    text = SMALL.replace("[availability >= 0%]", lines) + "variants: {a: {}, b: {}}\n"
    a, b = plans_of(tmp_path, text)
    assert (a.expect, b.expect) == (("a: ok >= 1", "ok >= 2"), ("ok >= 2",))
    assert a.group_expect == b.group_expect == ("a.ok >= b.ok", "b: ok >= 3 in 50% of runs")


def test_servers_stand_in_the_regions_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SMALL.replace("{nodes: 3}", "{regions: {us-east-1: 2, eu-west-1: 1}}")
    (plan,) = plans_of(tmp_path, text)
    assert plan.cluster.regions == ("us-east-1", "us-east-1", "eu-west-1")
    assert plan.cluster.latency == "aws-2025"


def test_several_workloads_have_names_of_their_own_and_share_no_process(tmp_path: Path) -> None:
    text = SMALL.replace(
        "{register: {rate: 50/s, clients: 3, timeout: 500ms}}",
        "[{register: {clients: 2}}, {name: lists, append: {clients: 3}}]",
    )
    (plan,) = plans_of(tmp_path, text)
    assert [(part.called, part.name) for part in plan.workloads] == [("register", "register"), ("lists", "append")]
    processes = [one for spec in setup_of(plan, name="x").actors[3:] for one in spec.settings.processes]  # type: ignore[attr-defined]
    assert sorted(processes) == list(range(5))
