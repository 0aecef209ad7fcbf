"""The history of each object: linearizability is local, so that one after another can be judged (Herlihy and Wing)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from actors.errors import ERRORS
from actors.history import Operation
from experiments.checkers.columns import Columns
from experiments.checkers.linearizable.models import COMPARE_DIFFERED, UNSEEN, Model


class Placed(Operation, frozen=True, gc=False, kw_only=True):
    """An operation with its place in the whole history, which settles who came first within a process.

    `function` is the model's name for it and `value` what the model has to be told; those of the history stand beside.
    """

    place: int  # from 0
    asked: str
    given: object = None


class ObjectHistory(NamedTuple):
    """What one object was asked. Intervals are closed: two that touch are concurrent."""

    key: str
    definite: Sequence[Placed]  # ok, or a fail that is an answer of the state; in order of invocation
    unknown: Sequence[Placed]  # at any time after the invoke, or never; taken as info, whatever they say
    bound_ns: int = 0  # each interval is widened by this on either side


class BadOperation(ValueError):
    """A model does not understand an operation. Names it and what is wrong."""


def rows_by_key(
    history: Columns, *, together: bool = False
) -> Iterator[tuple[str, "np.ndarray[tuple[int], np.dtype[np.int64]]"]]:
    """The rows of each key, keys in order of their names; `together`: one object, whatever the keys."""
    if together:
        yield ", ".join(sorted(key for key in history.keys if key)), np.arange(len(history))
        return
    if not len(history):
        return
    order = np.argsort(history.key, kind="stable")
    present, starts = np.unique(history.key[order], return_index=True)
    parts = dict(zip(present.tolist(), np.split(order, starts[1:]), strict=True))
    for code in sorted(parts, key=lambda code: history.keys[code]):
        yield history.keys[code], parts[code]


def object_history(
    key: str, operations: Iterable[tuple[int, Operation]], model: Model, bound_ns: int = 0
) -> ObjectHistory:
    """The history of one object, without failures that tell nothing.

    Args:
        operations: (place in the whole history, operation), in order of invocation.

    Raises: BadOperation.
    """
    definite: list[Placed] = []
    unknown: list[Placed] = []
    for place, operation in operations:
        open_ = operation.outcome == "info" or operation.return_ns is None
        if not open_ and operation.outcome != "ok" and not is_answer(operation):
            continue
        (unknown if open_ else definite).append(placed(operation, place, model))
    return ObjectHistory(key, definite, unknown, bound_ns)


def is_answer(operation: Operation) -> bool:
    """Whether a failed operation tells of the state that it met."""
    if operation.outcome != "fail":
        return False
    meaning = ERRORS.get(operation.error or "")
    return operation.error == COMPARE_DIFFERED or (meaning is not None and meaning.answered)


def placed(operation: Operation, place: int, model: Model) -> Placed:
    """An operation as the model is to be asked."""
    function = model.aliases.get(operation.function, operation.function)
    one = Placed(
        process=operation.process,
        node=operation.node,
        workload=operation.workload,
        function=function,
        key=operation.key,
        value=operation.value,
        intended_ns=operation.intended_ns,
        invoke_ns=operation.invoke_ns,
        return_ns=operation.return_ns,
        outcome=operation.outcome,
        result=UNSEEN if operation.error == COMPARE_DIFFERED else operation.result,  # type: ignore[arg-type]
        error=operation.error,
        place=place,
        asked=operation.function,
        given=operation.value,
    )
    problem = model.problem(one)
    if problem is not None:
        raise BadOperation(f"operation {place} ({operation.function}): {problem}")
    prepared = model.prepare(one)
    assert isinstance(prepared, Placed)
    return prepared
