"""Partitions, preference lists, and how much moves when a node joins."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.state.ring import Layout, Member, Ring, hash_of, partition_of, ring_of


def members(count: int, *, regions: int = 1, racks: int = 1) -> tuple[Member, ...]:
    return tuple(
        Member(node, node, f"region{node % regions}", f"rack{node // regions % racks}") for node in range(count)
    )


@given(nodes=st.integers(1, 12), replicas=st.integers(1, 5), tokens=st.integers(1, 8))
def test_a_partition_has_n_distinct_owners_or_all_nodes(nodes: int, replicas: int, tokens: int) -> None:
    ring = Ring(members(nodes), Layout(replicas, partitions=16, tokens=tokens))
    for partition in range(16):
        owners, after = ring.owners(partition), ring.stand_ins(partition)
        assert len(set(owners)) == len(owners) == min(replicas, nodes)
        assert not set(owners) & set(after)


@given(regions=st.integers(2, 3), racks=st.integers(1, 3), each=st.integers(1, 3))
def test_owners_are_spread_evenly_over_regions_and_over_racks_in_them(regions: int, racks: int, each: int) -> None:
    nodes = members(regions * 6, regions=regions, racks=racks)
    ring = Ring(nodes, Layout(regions * each, partitions=32, spread="regions"))
    for partition in range(32):
        chosen = [nodes[node] for node in ring.owners(partition)]
        assert set(Counter(member.region for member in chosen).values()) == {each}
        for region in {member.region for member in chosen}:
            here = {member.rack for member in chosen if member.region == region}
            assert len(here) == min(each, racks)


def test_the_spread_gives_way_before_the_number_of_replicas() -> None:
    ring = Ring(members(3, racks=1), Layout(3, spread="racks"))
    assert sorted(ring.owners(0)) == [0, 1, 2]


def test_the_owners_are_met_clockwise_from_the_partitions_end() -> None:
    """Against a walk over all tokens written out."""
    ring = Ring(members(5), Layout(3, partitions=8, tokens=4, spread="nodes"))
    places = sorted((hash_of(f"token {node}/{number}"), node) for node in range(5) for number in range(4))
    for partition in range(8):
        end = (partition + 1) * 2**64 // 8
        order = [node for place, node in places if place >= end] + [node for place, node in places if place < end]
        assert ring.owners(partition) == tuple(dict.fromkeys(order))[:3]


@pytest.mark.parametrize(("partitioner", "least", "most"), [("ring", 0.05, 0.3), ("modulo", 0.75, 0.95)])
def test_a_sixth_node_takes_about_a_sixth_with_consistent_hashing_and_most_with_modulo(
    partitioner, least, most
) -> None:
    layout = Layout(1, partitions=512, tokens=64, spread="nodes", partitioner=partitioner)
    five, six = Ring(members(5), layout), Ring(members(6), layout)
    moved = sum(five.owners(partition) != six.owners(partition) for partition in range(512)) / 512
    assert least < moved < most


def test_what_moves_with_consistent_hashing_moves_to_the_new_node_only() -> None:
    layout = Layout(1, partitions=512, tokens=16, spread="nodes")
    five, six = Ring(members(5), layout), Ring(members(6), layout)
    changed = [number for number in range(512) if five.owners(number) != six.owners(number)]
    assert {six.owners(number) for number in changed} == {(5,)}


def test_a_node_that_replaces_another_takes_over_its_seat_and_nothing_else_moves() -> None:
    layout = Layout(3, partitions=64)
    before = Ring(members(5), layout)
    after = Ring((*members(5)[:4], Member(7, 4, "region0", "rack0")), layout)
    for partition in range(64):
        assert after.owners(partition) == tuple(7 if node == 4 else node for node in before.owners(partition))


@given(key=st.text(max_size=12), partitions=st.integers(1, 300))
def test_every_key_has_a_partition(key: str, partitions: int) -> None:
    for partitioner in ("ring", "range"):
        assert 0 <= partition_of(key, Layout(3, partitions, partitioner=partitioner)) < partitions


def test_by_first_letter_neighbours_share_a_partition_and_blocks_of_letters_an_owner() -> None:
    layout = Layout(1, partitions=26, partitioner="range")
    ring = ring_of(members(2), layout)
    assert partition_of("apple", layout) == partition_of("avocado", layout) == 0
    assert [ring.owners(number) for number in range(26)] == [(0,)] * 13 + [(1,)] * 13
