"""Targets: what the words of a schedule mean when a fault is injected."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from levers import Levers

from actors.election import RoleChanged
from actors.protocols.raft_messages import Committed
from chaos.fault import NobodyToHit
from chaos.sight import Sight
from chaos.targets import TARGET_WORDS, Aim, is_known, resolve, split_halves
from cluster.topology import Topology

FIVE = Topology(("us", "us", "eu", "eu", "asia", "us", "eu"), 5)  # and a client node each in us and eu


def hit(*words: str, leader: int | None = 2, seed: int = 1, topology: Topology = FIVE) -> tuple[int, ...]:
    sight = Sight(topology)
    if leader is not None:
        sight.observe(leader, RoleChanged("leader", 1), 0)
    return resolve(words, Aim(Levers(topology), sight, Random(seed)))


@pytest.mark.parametrize(
    ("words", "nodes"),
    [
        (("n1",), (0,)),
        (("n5", "n2"), (1, 4)),
        (("leader",), (2,)),
        (("leader", "n3"), (2,)),
        (("all",), (0, 1, 2, 3, 4)),
        (("minority",), (0, 1)),
        (("eu",), (2, 3)),
        (("asia", "us"), (0, 1, 4)),
        (("majority",), (0, 1, 2)),
        (("primary",), (2,)),
        (("not leader",), (0, 1, 3, 4)),
        (("not us",), (2, 3, 4)),
        (("not n1",), (1, 2, 3, 4)),
    ],
)
def test_words_mean_servers(words, nodes):
    assert hit(*words) == nodes


@pytest.mark.parametrize("seed", range(20))
def test_a_follower_is_never_the_leader(seed):
    assert hit("follower", leader=3, seed=seed) != (3,)


def test_random_reaches_every_server():
    assert {hit("random", seed=seed)[0] for seed in range(100)} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(("servers", "fewer"), [(3, 1), (4, 1), (5, 2), (6, 2), (7, 3)])
def test_without_a_minority_a_majority_is_left(servers, fewer):
    topology = Topology(("us",) * servers, servers)
    for words in ("minority", "random minority"):
        assert len(hit(words, topology=topology)) == fewer
        assert servers - fewer > servers / 2


@pytest.mark.parametrize("k", [1, 3, 5])
def test_random_k_draws_k_servers(k):
    assert {len(hit(f"random {k}", seed=seed)) for seed in range(20)} == {k}


def test_the_hottest_server_is_the_one_that_tells_most():
    sight = Sight(FIVE)
    for node in (1, 3, 3, 4, 6, 6, 6):  # 6 is a client
        sight.observe(node, Committed(1, 1), 0)
    assert resolve(("hottest",), Aim(Levers(FIVE), sight, Random(1))) == (3,)


def test_nobody_is_the_leader_during_an_election():
    with pytest.raises(NobodyToHit, match="leader"):
        hit("n1", "leader", leader=None)


def test_a_word_is_known_if_it_can_ever_mean_a_server():
    assert all(is_known(word, FIVE) for word in (*TARGET_WORDS, "n1", "n5", "asia", "random 5", "not n1", "not leader"))
    assert not any(is_known(word, FIVE) for word in ("n6", "c1", "mars", "", "n0", "random 6", "random 0", "not all"))
    assert not is_known("minority", Topology(("us", "us"), 2))


@given(st.lists(st.sampled_from(["us", "eu", "asia"]), min_size=2, max_size=9), st.integers(0, 99))
def test_halves_are_two_sides_of_all_servers_the_first_no_larger(regions, seed):
    topology = Topology((*regions, "us"), len(regions))
    first, second = split_halves(topology, "random", Random(seed))
    assert sorted((*first, *second)) == list(topology.servers)
    assert len(first) == len(regions) // 2


@given(st.lists(st.sampled_from(["us", "eu", "asia"]), min_size=2, max_size=9), st.integers(0, 99))
def test_halves_by_regions_divide_no_region(regions, seed):
    topology = Topology(tuple(regions), len(regions))
    first, second = split_halves(topology, "regions", Random(seed))
    assert sorted((*first, *second)) == list(topology.servers)
    assert not {regions[node] for node in first} & {regions[node] for node in second}
    assert first
    assert second or len(set(regions)) == 1
