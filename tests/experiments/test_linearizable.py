"""Linearizability: verdicts and their words on small histories, and big histories of a real register."""

import random
import time
from itertools import count

import msgspec
import pytest

from actors.history import Operation, Outcome
from actors.message import Value
from experiments.checkers.linearizable import linearizable
from experiments.checkers.linearizable.explanation import span

PROCESSES = count(1)


def op(
    function: str,
    value: Value,
    start: int,
    end: int | None,
    *,
    result: Value = None,
    error: str | None = None,
    process: int | None = None,
    key: str = "k1",
) -> Operation:
    """An operation in ms; without an end it has no known outcome."""
    outcome: Outcome = "info" if end is None else "fail" if error else "ok"
    return Operation(
        process=next(PROCESSES) if process is None else process,
        node=5,
        workload="register",
        function=function,
        key=key,
        value=value,
        intended_ns=start * 1_000_000,
        invoke_ns=start * 1_000_000,
        return_ns=None if end is None else end * 1_000_000,
        outcome=outcome,
        result=result,
        error=error,
    )


def read(result: Value, start: int, end: int | None, **more: int) -> Operation:
    return op("read", None, start, end, result=result, **more)  # type: ignore[arg-type]


def write(value: Value, start: int, end: int | None, **more: int) -> Operation:
    return op("write", value, start, end, **more)  # type: ignore[arg-type]


def cas(expected: int | None, new: int, start: int, end: int | None, found: Value | str = "ok") -> Operation:
    error = None if found == "ok" else "compare-failed"
    return op("cas", (expected, new), start, end, result=new if error is None else found, error=error)


@pytest.mark.parametrize(
    ("history", "valid"),
    [
        ([write(1, 0, 10), read(1, 20, 30)], True),
        ([write(1, 0, 10), read(None, 20, 30)], False),  # a lost write
        ([write(1, 0, 10), read(None, 5, 30)], True),  # concurrent
        ([write(1, 0, 10), read(None, 10, 30)], True),  # intervals that touch are concurrent ...
        ([write(1, 0, 10, process=1), read(None, 10, 30, process=1)], False),  # ... but not of one process
        ([write(1, 0, None), read(None, 20, 30), read(1, 40, 50)], True),  # an unknown outcome acts late
        ([write(1, 0, None), read(1, 20, 30), read(None, 40, 50)], False),  # ... but once
        ([write(1, 20, None), read(1, 0, 10)], False),  # ... and not before its invoke
        ([op("write", 1, 0, 10, error="no-leader"), read(None, 20, 30)], True),  # a definite failure
        ([op("write", 1, 0, 10, error="no-leader"), read(1, 20, 30)], False),
        ([write(1, 0, 10), cas(1, 2, 20, 30), read(2, 40, 50)], True),
        ([write(1, 0, 10), cas(3, 2, 20, 30)], False),
        ([write(1, 0, 10), cas(3, 2, 20, 30, found=1)], True),
        ([write(1, 0, 10), cas(1, 2, 20, 30, found=1)], False),  # failed, though it found what it expected
        ([write(1, 0, 10), cas(3, 2, 20, 30, found=4)], False),  # found what was not there
        ([op("append", 1, 0, 10), op("append", 2, 20, 30), read((1, 2), 40, 50)], True),
        ([op("append", 1, 0, 10), op("append", 2, 20, 30), read((2, 1), 40, 50)], False),
        ([write(7, 0, 10), op("append", 1, 20, 30, result=7, error="wrong-type")], True),
        ([write((), 0, 10), op("append", 1, 20, 30, result=(), error="wrong-type")], False),
        ([write(None, 0, 10), op("append", 1, 20, 30)], False),  # a written None is no list
        (
            [write(1, 0, 10), read(1, 20, 30), op("write", 2, 0, 10, key="k2"), op("read", None, 20, 30, key="k2")],
            False,
        ),
    ],
)
def test_a_history_is_linearizable_iff_an_order_explains_it(history: list[Operation], valid: bool) -> None:
    """Herlihy and Wing 1990, §2.2, with the semantics of the key-value machine."""
    assert linearizable(sorted(history, key=lambda one: one.invoke_ns)).valid is valid


def test_the_clock_bound_widens_intervals_and_the_verdict_says_so() -> None:
    history = [write(1, 0, 10), read(None, 20, 30)]
    verdict = linearizable(history, clock_bound_ns=5_000_000)
    assert verdict.valid is True
    assert "widened by 5 ms" in verdict.method
    assert linearizable(history, clock_bound_ns=4_999_999).valid is False


def test_a_process_stays_in_order_whatever_the_clock_bound() -> None:
    """Its operations are timed by one clock."""
    history = [write(1, 0, 10, process=1), read(None, 20, 30, process=1)]
    assert linearizable(history, clock_bound_ns=1_000_000_000).valid is False


def test_limits_and_empty_histories_give_unknown() -> None:
    assert linearizable([]).valid == "unknown"
    assert linearizable([write(1, 0, None)]).valid == "unknown"
    history = [write(1, 0, 10), write(1, 15, 18), read(1, 20, 30)]  # repeated values: zones can't decide these
    bounded = linearizable([*history, write(2, 40, 50), read(1, 40, 50)], configurations=1)
    assert (bounded.valid, bounded.reason) == (
        "unknown",
        "1 of 1 keys were not decided; k1: 1 configurations were not enough",
    )
    late = linearizable(history, timeout_s=-1)
    assert (late.valid, "time was up" in late.reason) == ("unknown", True)


def test_unknown_models_and_functions_are_named() -> None:
    with pytest.raises(ValueError, match="there is no model 'kw'; did you mean 'kv'"):
        linearizable([], model="kw")
    with pytest.raises(ValueError, match="operation 0: model kv knows read, write, cas, append, delete, but no 'pop'"):
        linearizable([op("pop", None, 0, 10)])


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (
            [write(5, 0, 10), write(7, 20, 30, process=8), read(5, 40, 50, process=4)],
            "k1: c1's read 2 (process 4, 0.040-0.050 s) returned 5, but c1's write 1 of 7 (process 8, 0.020-0.030 s) "
            "had ended before and nothing wrote 5 after it",
        ),
        (
            [write(5, 0, 10), read(9, 40, 50, process=4)],
            "k1: c1's read 1 (process 4, 0.040-0.050 s) returned 9, but no operation that had begun by then wrote 9",
        ),
        (
            [op("append", 5, 0, 10, process=3), read(None, 40, 50, process=4)],
            "k1: c1's read 1 (process 4, 0.040-0.050 s) returned nothing, but c1's append 0 of 5 "
            "(process 3, 0.000-0.010 s) had ended before and 5 is not in it",
        ),
        (
            [
                write(1, 0, 10, process=1),
                write(2, 0, 10, process=2),
                read(1, 20, 30, process=3),
                read(2, 20, 30, process=4),
            ],
            "k1: c1's read 3 (process 4, 0.020-0.030 s) returned 2, which no order allows, together with c1's write 0 "
            "of 1 (process 1, 0.000-0.010 s), c1's write 1 of 2 (process 2, 0.000-0.010 s), c1's read 2 of 1 "
            "(process 3, 0.020-0.030 s)",
        ),
    ],
)
def test_a_violation_names_the_operations_that_cannot_be_ordered(history: list[Operation], words: str) -> None:
    verdict = linearizable(history, name=lambda node: f"c{node - 4}")
    assert verdict.reason == words


def test_the_stuck_operation_ends_the_shortest_failing_prefix() -> None:
    """Three violations in a row: the first one is told."""
    history = [write(1, 0, 10), *(read(None, 20 * turn, 20 * turn + 5) for turn in (1, 2, 3))]
    anomaly = linearizable(history).evidence["anomalies"][0]
    assert anomaly["operation"]["operation"] == 1
    assert [one["operation"] for one in anomaly["window"]] == [0, 1]


def test_an_interval_has_the_digits_that_tell_its_ends_apart() -> None:
    assert span(write(1, 12_301, 12_345)) == "12.301-12.345 s"
    assert span(write(1, 12_301, 12_302)) == "12.301000-12.302000 s"
    assert span(write(1, 12_301, None)) == "from 12.301 s, never answered"


def register_history(operations: int, *, keys: int, clients: int, unknown: float, seed: int) -> list[Operation]:
    """The history of real atomic registers: each operation takes effect at a drawn moment of its interval.

    Of the operations of unknown outcome half take effect, and their process goes on under a new number.
    """
    rng = random.Random(seed)
    free = [(rng.randrange(1000), process) for process in range(clients)]
    fresh, drawn = clients, []
    for unique in range(operations):
        start, process = min(free)
        free.remove((start, process))
        acts = start + rng.randrange(1, 1000)
        end = acts + rng.randrange(1, 1000)
        lost = rng.random() < unknown
        drawn.append((acts, start, end, process, unique, lost))
        if lost:
            process, fresh = fresh, fresh + 1
        free.append((end + rng.randrange(10), process))
    return sorted(_act(sorted(drawn), keys, rng), key=lambda one: one.invoke_ns)


def _act(drawn: list[tuple[int, int, int, int, int, bool]], keys: int, rng: random.Random) -> list[Operation]:
    state: dict[str, Value] = {}
    told = []
    for _, start, end, process, unique, lost in drawn:
        function, key = rng.choice(("read", "write", "cas")), f"k{rng.randrange(keys)}"
        found = state.get(key)
        expected = found if rng.random() < 0.7 else max(0, unique - rng.randrange(100))
        value: Value = {"read": None, "write": unique, "cas": (expected, unique)}[function]  # type: ignore[assignment]
        missed = function == "cas" and found != expected
        if function != "read" and not missed and not (lost and rng.random() < 0.5):
            state[key] = unique
        done = op(function, value, 0, 0, result=found if function == "read" or missed else unique, key=key)
        done = msgspec.structs.replace(done, process=process, invoke_ns=start, return_ns=end)
        if missed:
            done = msgspec.structs.replace(done, outcome="fail", error="compare-failed")
        if lost:
            done = msgspec.structs.replace(done, outcome="info", error="timed-out", result=None, return_ns=None)
        told.append(done)
    return told


@pytest.mark.parametrize("clients", [5, 20, 40])
def test_the_history_of_an_atomic_register_is_valid_and_soon_judged(clients: int) -> None:
    """20,000 operations over 8 keys with 1% unknown outcomes."""
    history = register_history(20_000, keys=8, clients=clients, unknown=0.01, seed=clients)
    began = time.perf_counter()
    verdict = linearizable(history)
    assert (verdict.valid, verdict.checked) == (True, 20_000)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("seed", range(5))
def test_one_stale_read_among_many_operations_is_found(seed: int) -> None:
    """A read late in the run is given a value that was overwritten, and read, long before."""
    history = register_history(4_000, keys=8, clients=10, unknown=0.01, seed=seed)
    number, victim = next(
        (number, one)
        for number, one in enumerate(history)
        if number > 3_000 and one.function == "read" and one.return_ns
    )
    old = next(one for one in history[1_000:] if one.key == victim.key and one.function == "read" and one.result)
    history[number] = msgspec.structs.replace(victim, result=old.result)
    verdict = linearizable(history)
    assert verdict.valid is False
    assert verdict.evidence["anomalies"][0]["operation"]["operation"] == number
    assert f"read {number} (" in verdict.reason


def test_a_long_history_needs_no_deep_stack() -> None:
    """One key, one process, 30,000 operations in a row."""
    history = [write(turn, 10 * turn, 10 * turn + 5, process=1) for turn in range(30_000)]
    assert linearizable(history).valid is True
