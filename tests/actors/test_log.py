"""The replicated log: against a plain list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raft_alone import entries

from actors.state.log import BEFORE_FIRST, Log, LogId

TERMS = st.lists(st.integers(1, 5), max_size=12).map(sorted)


@given(st.tuples(st.integers(0, 5), st.integers(0, 9)), st.tuples(st.integers(0, 5), st.integers(0, 9)))
def test_the_later_term_wins_then_the_longer_log(one, other):
    """Raft §5.4.1, which of two logs is more up-to-date."""
    assert (LogId(*one) > LogId(*other)) == (one > other)
    assert (LogId(*one) == LogId(*other)) == (one == other)


@given(TERMS)
def test_places_count_from_one(terms):
    log = Log(entries(*terms))
    assert [log.term_at(index) for index in range(len(terms) + 1)] == [0, *terms]
    assert [log.id_at(index) for index in range(len(terms) + 1)] == [
        BEFORE_FIRST,
        *(LogId(term, index) for index, term in enumerate(terms, start=1)),
    ]
    assert log.last_id == log.id_at(len(terms))


@pytest.mark.parametrize("index", [0, -1, 3])
def test_there_is_no_entry_before_the_first_or_behind_the_last(index):
    with pytest.raises(IndexError):
        Log(entries(1, 1))[index]


@given(TERMS, st.integers(0, 12), st.integers(0, 12))
def test_after_gives_the_next_entries_and_no_more(terms, index, most):
    log = Log(entries(*terms))
    assert log.after(index, most) == tuple(entries(*terms)[index:][:most])


@given(TERMS, st.integers(0, 6), st.integers(0, 14))
def test_a_log_holds_the_places_that_it_has(terms, term, index):
    """The place before the first is in every log."""
    places = {LogId(0, 0), *(LogId(one, place) for place, one in enumerate(terms, start=1))}
    assert Log(entries(*terms)).holds(LogId(term, index)) == (LogId(term, index) in places)


@given(TERMS, TERMS, st.integers(0, 12))
def test_first_conflict_is_where_cutting_and_appending_must_begin(own_terms, new_terms, after):
    after = min(after, len(own_terms))
    own = [one.term for one in Log(entries(*own_terms)).entries][after:]
    known = next(
        (place for place, term in enumerate(new_terms) if place >= len(own) or own[place] != term),
        None,
    )
    assert Log(entries(*own_terms)).first_conflict(after, entries(*new_terms)) == known


@given(TERMS, st.integers(1, 12))
def test_the_start_of_a_term_is_the_first_entry_of_that_term(terms, index):
    if index <= len(terms):
        assert Log(entries(*terms)).start_of_term(index) == terms.index(terms[index - 1]) + 1


@given(TERMS, st.integers(0, 12))
def test_a_cut_keeps_the_beginning(terms, length):
    log = Log(entries(*terms))
    log.cut(length)
    assert log.entries == entries(*terms)[:length]


def test_two_logs_share_nothing():
    """A default that is shared between servers would be a world that they don't have."""
    one, other = Log(), Log()
    one.extend(entries(1))
    assert other.last_index == 0
