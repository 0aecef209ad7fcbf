"""Session guarantees, causal consistency and PRAM against their definitions, tried out in every order."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st
from small_histories import operation

from actors.history import Operation
from experiments.checkers.all_sessions import ALL, all_sessions
from experiments.checkers.causal import causal
from experiments.checkers.pram import pram
from experiments.checkers.sessions import (
    Edge,
    Edges,
    monotonic_reads,
    monotonic_writes,
    own_writes,
    read_your_writes,
    reads_before_writes,
    successive_reads,
    successive_writes,
    writes_follow_reads,
)
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import accesses, by_session

SEEDS = st.integers(0, (1 << 48) - 1)
EXAMPLES = 1_200


def histories(seed: int, *, longest: int, keys: int = 2, open_: bool = True) -> list[Operation]:
    """Up to three sessions that read and write; every value is written once, and reads find values that were."""
    rng = random.Random(seed)
    count = rng.randint(2, longest)
    asked = [(rng.randrange(3), rng.choice(("read", "write")), f"k{rng.randrange(keys)}") for _ in range(count)]
    written: dict[str, list[int]] = {}
    for number, (_, function, key) in enumerate(asked):
        if function == "write":
            written.setdefault(key, []).append(number)
    history = []
    for number, (process, function, key) in enumerate(asked):
        value = number if function == "write" else None
        found = rng.choice((None, *written.get(key, []), *written.get(key, []))) if function == "read" else value
        outcome: Any = "info" if open_ and function == "write" and rng.random() < 0.1 else "ok"
        what = {"function": function, "key": key, "value": value, "result": found}
        history.append(operation(number, process, number * 10, number * 10 + 5, outcome, **what))
    return history


def views(history: list[Operation], mine: Edges, writers: Sequence[Edges]) -> bool:
    """Whether every process has an order of each key's versions in which what it met, and is wanted, goes forward."""
    sessions = by_session(accesses(history).steps)
    base = [edge for session in sessions for wanted in writers for edge in wanted(session)]
    return all(_orderable([*base, *mine(session)]) for session in sessions)


def _orderable(edges: list[Edge]) -> bool:
    versions = sorted({version[1] for edge in edges for version in (edge.older, edge.newer) if version[1] is not None})
    for order in permutations(versions):
        place = {None: -1, **{value: at for at, value in enumerate(order)}}
        if all(place[edge.older[1]] <= place[edge.newer[1]] for edge in edges):  # type: ignore[index]
            return True
    return False


@pytest.mark.parametrize(
    ("checker", "met", "writers"),
    [
        (read_your_writes, own_writes, [successive_writes]),
        (monotonic_reads, successive_reads, [successive_writes]),
    ],
    ids=["read-your-writes", "monotonic-reads"],
)
def test_a_guarantee_holds_iff_every_process_has_a_view_in_which_it_does(
    checker: Callable[..., Verdict], met: Edges, writers: list[Edges]
) -> None:
    compare(checker, lambda history: views(history, met, writers))


@pytest.mark.parametrize(
    ("checker", "writers"),
    [(monotonic_writes, []), (writes_follow_reads, [reads_before_writes])],
    ids=["monotonic-writes", "writes-follow-reads"],
)
def test_what_only_readers_can_tell_is_held_against_readers_who_do_not_go_back(
    checker: Callable[..., Verdict], writers: list[Edges]
) -> None:
    """Judged where no process contradicts itself by its reads alone."""
    compare(
        checker,
        lambda history: views(history, successive_reads, [successive_writes, *writers]),
        given=lambda history: views(history, successive_reads, []),
    )


def compare(
    checker: Callable[..., Verdict],
    oracle: Callable[[list[Operation]], bool],
    *,
    given: Callable[[list[Operation]], bool] = lambda _: True,
) -> None:
    seen = {True: 0, False: 0}

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @hypothesis_given(SEEDS)
    def agrees(seed: int) -> None:
        history = histories(seed, longest=8, keys=1)
        if not given(history):
            return
        truth = oracle(history)
        verdict = checker(history).valid
        assert verdict is truth or (truth and verdict == "unknown")
        seen[truth] += 1

    agrees()
    assert min(seen.values()) > EXAMPLES / 100, seen


def before(history: list[Operation], *, reads_from: bool) -> set[tuple[int, int]]:
    """Causal order: within sessions (nothing after a write without answer), from writes to their readers; closed."""
    pairs = {
        (one, other)
        for one, other in combinations(range(len(history)), 2)
        if history[one].process == history[other].process and history[one].outcome != "info"
    }
    if reads_from:
        pairs |= {
            (one, other)
            for one, wrote in enumerate(history)
            for other, read in enumerate(history)
            if wrote.function == "write"
            and read.function == "read"
            and (wrote.key, wrote.value) == (read.key, read.result)
        }
    while True:
        more = {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs
        if not more:
            return pairs
        pairs |= more


def orders(numbers: Sequence[int], pairs: set[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """All orders of some operations that respect the pairs."""
    for order in permutations(numbers):
        place = {number: at for at, number in enumerate(order)}
        if all(place[one] < place[other] for one, other in pairs if one in place and other in place):
            yield order


def is_causal(history: list[Operation]) -> bool:
    """Ahamad et al. 1995: for each process an order of all writes and its reads that respects causes."""
    pairs = before(history, reads_from=True)
    if any(one == other for one, other in pairs):
        return False
    return all(_has_view(history, process, pairs) for process in {one.process for one in history})


def is_pram(history: list[Operation]) -> bool:
    """Lipton and Sandberg 1988: for each process an order of all writes and its reads that keeps every session's."""
    pairs = before(history, reads_from=False)
    processes = {one.process for one in history if one.function == "read"}
    return all(_has_view(history, process, pairs) for process in processes)


def _has_view(history: list[Operation], process: int, pairs: set[tuple[int, int]]) -> bool:
    seen = [number for number, one in enumerate(history) if one.function == "write" or one.process == process]
    return any(_is_legal(history, order) for order in orders(seen, pairs))


def _is_legal(history: list[Operation], order: Sequence[int]) -> bool:
    state: dict[str, Any] = {}
    for number in order:
        one = history[number]
        if one.function == "write":
            state[one.key] = one.value
        elif state.get(one.key) != one.result:
            return False
    return True


@pytest.mark.parametrize(("checker", "oracle"), [(causal, is_causal), (pram, is_pram)], ids=["causal", "pram"])
def test_a_history_is_consistent_iff_some_order_explains_it(
    checker: Callable[..., Verdict], oracle: Callable[[list[Operation]], bool]
) -> None:
    seen = {True: 0, False: 0}

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @hypothesis_given(SEEDS)
    def agrees(seed: int) -> None:
        history = histories(seed, longest=6)
        if not any(one.function == "read" for one in history):
            return
        truth = oracle(history)
        assert checker(history).valid is truth
        seen[truth] += 1

    agrees()
    assert min(seen.values()) > EXAMPLES / 12, seen


def test_causal_histories_are_pram_and_give_the_session_guarantees() -> None:
    """Causal consistency is the stronger."""
    for seed in range(1_000):
        history = histories(seed, longest=10)
        if causal(history).valid is True:
            for name, checker in ALL.items():
                assert checker(history).valid is not False, (seed, name)


def test_sessions_names_every_guarantee_that_is_broken() -> None:
    history = [
        operation(0, 1, 0, 5, "ok", function="write", value=1, result=1),
        operation(1, 1, 10, 15, "ok", function="read", value=None, result=None),
    ]
    verdict = all_sessions(history)
    assert verdict.valid is False
    assert "read-your-writes" in verdict.evidence["anomalies"]
    assert "process 1 met 1 in k (write 0) and then the initial value (read 1)" in verdict.reason


def test_a_value_written_twice_makes_a_verdict_unknown() -> None:
    history = [operation(n, n, 10 * n, 10 * n + 5, "ok", function="write", value=1, result=1) for n in range(2)]
    verdict = causal(history)
    assert (verdict.valid, "written more than once" in verdict.reason) == ("unknown", True)


def test_items_of_lists_are_versions_in_the_order_of_the_list() -> None:
    appended = [operation(n, 1, 10 * n, 10 * n + 5, "ok", function="append", value=n, result=n) for n in (1, 2)]
    forward = [
        operation(n, 2, 10 * n, 10 * n + 5, "ok", function="read", value=None, result=r)
        for n, r in ((4, (1,)), (5, (1, 2)))
    ]
    back = [
        operation(n, 2, 10 * n, 10 * n + 5, "ok", function="read", value=None, result=r)
        for n, r in ((4, (1, 2)), (5, (1,)))
    ]
    assert monotonic_reads([*appended, *forward]).valid is True
    assert monotonic_reads([*appended, *back]).valid is False
