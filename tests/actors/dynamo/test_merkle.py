"""Merkle trees against the sets of keys that they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from actors.state.merkle import FANOUT, Merkle

CHANGES = st.lists(st.tuples(st.sampled_from([f"k{n}" for n in range(40)]), st.integers(0, 3)), max_size=40)


def tree_of(changes) -> Merkle:
    tree = Merkle()
    for key, fingerprint in changes:
        tree.put(key, fingerprint)
    return tree


def found_by_descent(one: Merkle, other: Merkle) -> set[str]:
    """The keys that differ, found as two replicas do: level by level, and only below nodes that differ."""
    nodes = [0] if one.root != other.root else []
    for level in range(one.depth):
        nodes = one.differing(level, nodes, other.children(level, nodes))
    differing = set()
    for leaf in nodes:
        differing |= {key for key, _ in set(one.bucket(leaf)) ^ set(other.bucket(leaf))}
    return differing


@given(mine=CHANGES, theirs=CHANGES)
def test_the_descent_finds_exactly_the_keys_that_differ(mine, theirs) -> None:
    one, other = tree_of(mine), tree_of(theirs)
    a, b = ({key: mark for key, mark in dict(side).items() if mark} for side in (mine, theirs))
    assert found_by_descent(one, other) == {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)}


@given(changes=CHANGES)
def test_a_tree_is_what_its_last_contents_make_it_whatever_came_before(changes) -> None:
    """Kept up to date change by change, it equals the tree built anew."""
    last = dict(changes)
    assert tree_of(changes).root == tree_of(last.items()).root
    assert tree_of([*changes, *((key, 0) for key in last)]).root == 0


def test_one_changed_key_among_a_thousand_costs_a_path_not_the_tree() -> None:
    one, other = tree_of((f"k{n}", 1) for n in range(1000)), tree_of((f"k{n}", 1) for n in range(1000))
    other.put("k500", 2)
    nodes, hashes = [0], 0
    for level in range(one.depth):
        theirs = other.children(level, nodes)
        hashes += len(theirs)
        nodes = one.differing(level, nodes, theirs)
    assert hashes <= 2 * FANOUT
    assert len(list(one.bucket(nodes[0]))) < 20
