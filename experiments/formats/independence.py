"""Jepsen's independent keys: histories whose values are [key value], one object a key."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.checkers.columns import FAIL, Columns, Names, ValueBuilder
from experiments.formats.building import CAS, key_text
from experiments.formats.errors import HistoryError

READS = ("read", "get")


def keyed(history: Columns, independent: bool | None) -> Columns:
    """The history with keys taken out of its values, where they are in there.

    Args:
        independent: whether they are. None: they are if no operation has a key, every value is a pair, and the reads
            were asked with one, or every compare has a pair inside its pair.

    Raises: HistoryError if they have to be, but a value is no pair.
    """
    if independent is False or (independent is None and not _looks_independent(history)):
        return history
    values, results = history.value.decode(), history.result.decode()
    keys, inner, back = [], [], []
    for row, (value, result) in enumerate(zip(values, results, strict=True)):
        if not _is_pair(value):
            raise HistoryError(f"operation {row} has the value {value!r}, which is no [key value]")
        keys.append(key_text(value[0]))
        inner.append(value[1])
        back.append(result[1] if _is_pair(result) and result[0] == value[0] else result)
    names, builder = Names(), ValueBuilder()
    codes = names.codes(keys)
    builder.extend("value", inner)
    builder.extend("result", back)
    return replace(
        history, key=codes, keys=names.listed(), value=builder.build("value"), result=builder.build("result")
    )


def _looks_independent(history: Columns) -> bool:
    if any(history.keys) or history.value.table is None:
        return False
    rows = np.flatnonzero(history.outcome != FAIL)
    values = history.value.take(rows).decode()
    if not values or not all(map(_is_pair, values)):
        return False
    functions = [history.functions[code] for code in history.function[rows].tolist()]
    return _tells(functions, values)


def _tells(functions: Sequence[str], values: Sequence[Any]) -> bool:
    """Whether these pairs can't be what a register holds or is asked to change."""
    reads = [value for function, value in zip(functions, values, strict=True) if function in READS]
    compares = [value for function, value in zip(functions, values, strict=True) if function in CAS]
    nested = all(_is_pair(value[1]) for value in compares)
    return nested and bool(compares or any(value[1] is None for value in reads))


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2
