"""Histories: invokes and returns joined to operations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import ERRORS, outcome_of
from actors.history import Invoke, Return, operations


def invoke(process: int, value: int = 0) -> Invoke:
    return Invoke(process, "register", "write", "k1", value, 0)


def test_an_operation_lasts_from_its_invoke_to_its_return():
    (one,) = operations([(10, 5, invoke(1, 7)), (30, 5, Return(1, "ok", 7))])
    assert (one.process, one.node, one.invoke_ns, one.return_ns, one.outcome, one.result) == (1, 5, 10, 30, "ok", 7)


def test_an_operation_of_unknown_outcome_may_take_effect_at_any_later_time():
    (one,) = operations([(10, 5, invoke(1)), (30, 5, Return(1, "info", None, "timed-out"))])
    assert (one.return_ns, one.ended_ns, one.error) == (None, 30, "timed-out")


def test_an_operation_that_never_returned_is_unknown():
    (one,) = operations([(10, 5, invoke(1))])
    assert (one.outcome, one.error, one.return_ns, one.ended_ns) == ("info", "no-answer", None, None)


@given(st.permutations(range(6)))
def test_operations_stand_in_the_order_of_their_invokes(ends):
    told = [(process, 0, invoke(process)) for process in range(6)]
    told += [(10 + place, 0, Return(process, "ok")) for place, process in enumerate(ends)]
    assert [one.process for one in operations(told)] == list(range(6))


@pytest.mark.parametrize(
    "told",
    [[(1, 0, invoke(1)), (2, 0, invoke(1))], [(1, 0, Return(1, "ok"))]],
    ids=["two at once", "a return alone"],
)
def test_a_process_has_one_operation_open_at_a_time(told):
    with pytest.raises(ValueError, match="process 1"):
        operations(told)


def test_every_error_has_a_meaning_and_an_unknown_one_is_a_bug():
    assert outcome_of(None) == "ok"
    assert {outcome_of(error) for error in ERRORS} == {"fail", "info"}
    with pytest.raises(KeyError):
        outcome_of("made-up")


def test_only_a_definite_answer_of_the_state_counts_as_an_answer():
    assert {name for name, row in ERRORS.items() if row.answered} == {"compare-failed", "wrong-type"}
    assert all(row.outcome == "fail" for row in ERRORS.values() if row.answered)
