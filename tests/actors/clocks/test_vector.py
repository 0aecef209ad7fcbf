"""Version vectors and contexts, against plain sets of dots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.clocks.vector import Context, UnreadableContext, covers, descends, from_token, joined, raised, token

DOT = st.tuples(st.integers(1, 3), st.integers(1, 6))
VECTOR = st.dictionaries(st.integers(1, 3), st.integers(1, 6)).map(lambda counters: tuple(sorted(counters.items())))


def dots_of(vector: tuple[tuple[int, int], ...]) -> set[tuple[int, int]]:
    return {(actor, n) for actor, last in vector for n in range(1, last + 1)}


@given(one=VECTOR, other=VECTOR)
def test_a_join_knows_what_either_knows(one, other) -> None:
    assert dots_of(joined(one, other)) == dots_of(one) | dots_of(other)


@given(one=VECTOR, other=VECTOR)
def test_one_descends_from_another_if_it_knows_all_its_dots(one, other) -> None:
    assert descends(one, other) == (dots_of(one) >= dots_of(other))


@given(vector=VECTOR, dot=DOT)
def test_covers_and_raised_agree_with_the_set_of_dots(vector, dot) -> None:
    assert covers(vector, dot) == (dot in dots_of(vector))
    assert dots_of(raised(vector, dot)) == dots_of(vector) | dots_of((dot,))


@given(dots=st.lists(DOT, max_size=12), more=st.lists(DOT, max_size=12))
def test_a_context_is_the_set_of_the_dots_put_into_it(dots, more) -> None:
    one, other = Context(), Context()
    for dot in dots:
        one = one.plus(dot)
    for dot in more:
        other = other.plus(dot)
    every = [(actor, n) for actor in range(1, 4) for n in range(1, 7)]
    assert {dot for dot in every if one.covers(dot)} == set(dots)
    assert {dot for dot in every if one.join(other).covers(dot)} == {*dots, *more}


@given(dots=st.lists(DOT, max_size=12), order=st.randoms())
def test_the_order_in_which_dots_came_does_not_show(dots, order) -> None:
    shuffled = list(dots)
    order.shuffle(shuffled)
    one, other = Context(), Context()
    for dot, same in zip(dots, shuffled, strict=True):
        one, other = one.plus(dot), other.plus(same)
    assert one == other


@given(dots=st.lists(DOT, max_size=12))
def test_a_token_comes_back_as_the_context_that_it_was(dots) -> None:
    context = Context()
    for dot in dots:
        context = context.plus(dot)
    assert from_token(token(context)) == context
    assert from_token(b"") == Context()


def test_a_foreign_token_is_refused() -> None:
    with pytest.raises(UnreadableContext):
        from_token(b"\x93nonsense")
