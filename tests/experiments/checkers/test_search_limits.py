"""What bounds a search changes no verdict: windows that are let go, and several processes."""

import sys

import msgspec
import pytest
from small_histories import MACHINES, drawn, has_an_order

from actors.history import Operation
from experiments.checkers.linearizable import judging, linearizable, memory
from experiments.checkers.linearizable.memory import windows


def test_windows_are_cut_where_no_operation_is_open() -> None:
    """Intervals 0-5, 3-8 | 9-9 | 10-20, 12-13: and one window more for the end."""
    assert windows([0, 3, 9, 10, 12], [5, 8, 9, 20, 13]) == [0, 0, 1, 2, 2, 3]


@pytest.mark.parametrize("model", ["cas-register", "fifo-queue"])
def test_windows_that_are_let_go_change_no_verdict(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT_CONFIGURATIONS", 0)
    monkeypatch.setattr(memory, "KEPT_WINDOWS", 1)
    for seed in range(300):
        history = drawn(MACHINES[model], seed, 7)
        if any(one.outcome == "ok" for one in history):
            assert linearizable(history, model=model).valid is has_an_order(history, MACHINES[model])


def test_several_processes_find_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty keys of which some are broken."""
    history: list[Operation] = []
    for seed in range(40):
        part = drawn(MACHINES["cas-register"], seed)
        history += [msgspec.structs.replace(one, key=f"k{seed}", process=one.process + 10 * seed) for one in part]
    history.sort(key=lambda one: one.invoke_ns)
    alone = linearizable(history, model="cas-register")
    monkeypatch.setattr(judging, "WORTHWHILE", 1)
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    together = linearizable(history, model="cas-register")
    assert alone.valid is False
    assert together.evidence["invalid_keys"] == alone.evidence["invalid_keys"]
    assert together.evidence["configurations"] == alone.evidence["configurations"]
