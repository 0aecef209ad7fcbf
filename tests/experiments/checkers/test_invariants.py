"""Each invariant's checker against its definition, written out the long way, on small histories."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_histories import intervals, operation

from actors.history import Operation
from experiments.checkers.bank import bank
from experiments.checkers.convergence import convergence
from experiments.checkers.counter import counter
from experiments.checkers.long_fork import long_fork
from experiments.checkers.monotonic import monotonic
from experiments.checkers.queues import queue
from experiments.checkers.sets import final_set, set_full
from experiments.checkers.staleness import measure, staleness
from experiments.checkers.unique_ids import unique_ids
from experiments.checkers.verdict import Verdict
from experiments.checkers.versions import accesses

SEEDS = st.integers(0, (1 << 48) - 1)
EXAMPLES = 700
What = Callable[[random.Random, int], dict[str, Any]]


def drawn(seed: int, what: What, longest: int = 8) -> list[Operation]:
    rng = random.Random(seed)
    history = []
    for number, process, start, end, outcome in intervals(rng, longest):
        did = what(rng, number)
        if outcome != "ok":
            did["result"] = None
        history.append(operation(number, process, start, end, outcome, **did))
    return sorted(history, key=lambda one: (one.invoke_ns, one.intended_ns))


def against(
    checker: Callable[[list[Operation]], Verdict], oracle: Callable[[list[Operation]], Any], what: What
) -> None:
    """The anomalies that a checker finds are those of the oracle, on histories of which some have any and some none."""
    seen = {True: 0, False: 0}

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @given(SEEDS)
    def agrees(seed: int) -> None:
        history = drawn(seed, what)
        verdict, wanted = checker(history), oracle(history)
        counts = verdict.evidence.get("counts", {})
        assert {kind: counts.get(kind, 0) for kind in wanted} == wanted
        seen[any(wanted.values())] += 1

    agrees()
    assert min(seen.values()) > EXAMPLES / 50, seen


def ok(history: list[Operation], *functions: str) -> list[Operation]:
    return [one for one in history if one.outcome == "ok" and one.function in functions]


def ended(one: Operation, other: Operation) -> bool:
    return one.return_ns is not None and one.return_ns < other.invoke_ns


# counter


def counting(rng: random.Random, _: int) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"function": "read", "value": None, "result": rng.randrange(-2, 6)}
    return {"function": "add", "value": rng.choice((1, 2, -1)), "result": None}


def count_of(history: list[Operation]) -> dict[str, int]:
    wrong = 0
    for read in ok(history, "read"):
        least = most = 0
        for one in history:
            if one.function != "add" or one.outcome == "fail":
                continue
            amount: Any = one.value
            certain = one.outcome == "ok" and ended(one, read)
            possible = one.invoke_ns <= (read.return_ns or 0)
            least += amount if (certain and amount > 0) or (possible and amount < 0) else 0
            most += amount if (certain and amount < 0) or (possible and amount > 0) else 0
        wrong += not least <= read.result <= most  # type: ignore[operator]
    return {"out-of-bounds": wrong}


def test_a_counter_stays_within_what_may_have_been_counted() -> None:
    against(counter, count_of, counting)


# sets


def adding(rng: random.Random, number: int) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"function": "add", "value": number, "result": None}
    items = rng.sample(range(9), rng.randrange(6))
    return {"function": "read", "value": None, "result": tuple(items + items[:1] * (rng.random() < 0.05))}


def elements_of(history: list[Operation]) -> dict[str, int]:
    """Jepsen's set-full, element by element."""
    reads = sorted(ok(history, "read"), key=lambda one: (one.invoke_ns, history.index(one)))
    kinds = Counter[str]()
    attempted = {one.value for one in history if one.function == "add"}
    for add in [one for one in history if one.function == "add"]:
        has = [read for read in reads if add.value in read.result]  # type: ignore[operator]
        answers = [one.return_ns for one in has] + ([add.return_ns] if add.outcome == "ok" else [])
        if not answers:
            continue
        known = min(time for time in answers if time is not None)
        later = [read for read in reads if read.invoke_ns > known]
        absent = [read for read in later if add.value not in read.result]  # type: ignore[operator]
        kinds["recovered"] += add.outcome == "info" and bool(has)
        kinds["never-read"] += not later
        kinds["lost"] += bool(absent) and absent[-1] is later[-1]
        kinds["stale"] += bool(absent) and absent[-1] is not later[-1]
    kinds["unexpected"] = sum(len(set(read.result) - attempted) for read in reads)  # type: ignore[arg-type]
    kinds["duplicated"] = sum(len(read.result) != len(set(read.result)) for read in reads)  # type: ignore[arg-type]
    return {kind: kinds[kind] for kind in ("lost", "stale", "recovered", "unexpected", "duplicated")}


def test_elements_of_a_set_are_lost_stale_or_recovered_as_their_reads_say() -> None:
    against(set_full, elements_of, adding)


def last_read_of(history: list[Operation]) -> dict[str, int]:
    reads = ok(history, "read")
    if not reads:
        return {"lost": 0}
    last = max(reads, key=lambda one: (one.invoke_ns, history.index(one)))
    items: Any = last.result
    certain = [one.value for one in ok(history, "add") if ended(one, last)]
    return {"lost": sum(value not in items for value in certain)}


def test_the_last_read_of_a_set_has_all_that_was_added() -> None:
    against(final_set, last_read_of, adding)


# queues


def queueing(rng: random.Random, number: int) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"function": "enqueue", "value": number, "result": number}
    return {"function": "dequeue", "value": None, "result": rng.choice((None, *range(5)))}


def queue_of(history: list[Operation]) -> dict[str, int]:
    tried = Counter(one.value for one in history if one.function == "enqueue" and one.outcome != "fail")
    taken = [one for one in ok(history, "dequeue") if one.result is not None]
    came = Counter(one.result for one in taken)
    put = {one.value: one for one in ok(history, "enqueue")}
    out = {one.result: one for one in taken if came[one.result] == 1 and one.result in put}
    late = [
        item
        for item in out
        if any(ended(put[item], put[other]) and ended(out[other], out[item]) for other in out if other != item)
    ]
    empties = [one for one in ok(history, "dequeue") if one.result is None]
    perhaps = any(one.function == "dequeue" and one.outcome == "info" for one in history)
    missing = [one for one in put.values() if not came[one.value]]
    lost = [one for one in missing if not perhaps and any(ended(one, empty) for empty in empties)]
    return {
        "phantom": sum(not tried[item] for item in came),
        "duplicated": sum(count > tried[item] > 0 for item, count in came.items()),
        "out-of-order": len(late),
        "lost": len(lost),
        "left": len(missing) - len(lost),
    }


def test_a_queue_loses_repeats_reorders_and_invents_nothing() -> None:
    against(queue, queue_of, queueing)


# identifiers, monotonic values


def test_identifiers_are_unique_iff_no_two_answers_are_the_same() -> None:
    def what(rng: random.Random, _: int) -> dict[str, Any]:
        return {"function": "generate", "value": None, "result": rng.randrange(40)}

    def oracle(history: list[Operation]) -> dict[str, int]:
        given_out = [one.result for one in ok(history, "generate")]
        return {"duplicated": len(given_out) - len(set(given_out))}

    against(unique_ids, oracle, what)


def test_what_is_read_never_falls_behind_a_read_that_had_ended() -> None:
    def what(rng: random.Random, number: int) -> dict[str, Any]:
        return {"function": "read", "value": None, "result": number + rng.randrange(3), "key": rng.choice("ab")}

    def oracle(history: list[Operation]) -> dict[str, int]:
        reads = ok(history, "read")
        fell = [
            one
            for one in reads
            if any(
                other.key == one.key
                and (ended(other, one) or (other.process == one.process and other.intended_ns < one.intended_ns))
                and other.result > one.result  # type: ignore[operator]
                for other in reads
            )
        ]
        return {"fell": len(fell)}

    against(monotonic, oracle, what)


# bank, long fork, convergence


def test_every_read_of_a_bank_adds_up() -> None:
    def what(rng: random.Random, _: int) -> dict[str, Any]:
        held = (("a", rng.choice((4, 5, 5, -1))), ("b", rng.choice((5, 5, 6, 11))))
        return {"function": "read", "value": None, "result": held}

    def oracle(history: list[Operation]) -> dict[str, int]:
        reads: list[Any] = [dict(one.result) for one in ok(history, "read")]  # type: ignore[arg-type]
        return {
            "wrong-total": sum(held["a"] + held["b"] != 10 for held in reads),
            "negative": sum(min(held.values()) < 0 for held in reads),
        }

    against(lambda history: bank(history, total=10), oracle, what)


@pytest.mark.parametrize(
    "result", [(("a", 4), ("b", 6)), (4, 6), (("r", "a", 4), ("r", "b", 6))], ids=["map", "list", "micro-operations"]
)
def test_balances_are_read_in_any_form(result: Any) -> None:
    history = [operation(0, 1, 0, 5, "ok", function="read", value=None, result=result)]
    assert bank(history, total=10).valid is True
    assert bank(history, total=11).valid is False


def test_two_readers_who_disagree_on_the_order_of_two_writes_are_a_long_fork() -> None:
    def what(rng: random.Random, number: int) -> dict[str, Any]:
        if rng.random() < 0.3:
            return {"function": "txn", "value": (("w", f"k{number}", 1),), "result": (("w", f"k{number}", 1),)}
        seen = tuple(("r", key, rng.choice((None, 1))) for key in ("x", "y", "z")[: rng.choice((2, 3))])
        return {"function": "txn", "value": seen, "result": seen}

    def forked(history: list[Operation]) -> bool:
        reads = [{step[1]: step[2] for step in one.result if step[0] == "r"} for one in ok(history, "txn")]  # type: ignore[union-attr]
        reads = [read for read in reads if len(read) > 1]
        return any(
            one.keys() == other.keys()
            and any(one[key] and not other[key] for key in one)
            and any(other[key] and not one[key] for key in one)
            for one in reads
            for other in reads
        )

    for seed in range(2_000):
        history = drawn(seed, what)
        assert (long_fork(history).valid is False) is forked(history)


def test_replicas_have_converged_iff_the_last_reads_agree() -> None:
    def what(rng: random.Random, number: int) -> dict[str, Any]:
        if number < 2:
            return {"function": "write", "value": number, "result": number}
        return {"function": "read", "value": None, "result": rng.choice((0, 1, 1, 1))}

    def diverged(history: list[Operation]) -> bool | None:
        writes = [one for one in history if one.function == "write" and one.outcome != "fail"]
        if any(one.outcome == "info" for one in writes):
            return None
        reads = [one for one in ok(history, "read") if all(ended(write, one) for write in writes)]
        last = {one.process: one.result for one in sorted(reads, key=lambda one: one.intended_ns)}
        return None if len(last) < 2 else len(set(last.values())) > 1

    for seed in range(2_000):
        history = drawn(seed, what, 10)
        truth = diverged(history)
        assert convergence(history).valid == ("unknown" if truth is None else not truth)


# staleness


def test_staleness_is_the_number_and_the_age_of_certainly_newer_versions() -> None:
    def what(rng: random.Random, number: int) -> dict[str, Any]:
        if rng.random() < 0.5:
            return {"function": "write", "value": number + 1, "result": number + 1}
        return {"function": "read", "value": None, "result": rng.choice((None, 1, 2, 3, 4))}

    stale = 0
    for seed in range(3_000):
        told = accesses(drawn(seed, what, 9))
        for one in measure(told.steps):
            wrote = told.writers.get(one.read.version)
            since = -1 if wrote is None else wrote.return_ns
            newer = [
                write
                for write in told.writers.values()
                if since is not None
                and write.return_ns is not None
                and write.invoke_ns > since
                and write.return_ns < one.read.invoke_ns
            ]
            assert one.versions == len(newer)
            first = min((write.return_ns for write in newer if write.return_ns is not None), default=None)
            assert one.age_ns == (0 if first is None else one.read.invoke_ns - first)
            stale += bool(newer)
    assert stale > 300


def test_the_verdict_on_staleness_has_the_distribution() -> None:
    ms = 1_000_000
    history = [
        operation(0, 1, 0, ms, "ok", function="write", value=1, result=1),
        operation(1, 1, 2 * ms, 3 * ms, "ok", function="write", value=2, result=2),
        operation(2, 2, 8 * ms, 9 * ms, "ok", function="read", value=None, result=1),
        operation(3, 2, 10 * ms, 11 * ms, "ok", function="read", value=None, result=2),
    ]
    verdict = staleness(history)
    assert verdict.valid is False
    assert verdict.evidence["stale_share"] == 0.5
    assert verdict.evidence["age_ms"]["max"] == 5.0
    assert verdict.evidence["versions"]["max"] == 1
    assert "1 versions and 5.000 ms behind" in verdict.reason


@pytest.mark.parametrize(
    "checker", [bank, convergence, counter, final_set, long_fork, monotonic, queue, set_full, staleness, unique_ids]
)
def test_a_history_that_tests_nothing_is_unknown(checker: Callable[[list[Operation]], Verdict]) -> None:
    verdict = checker([])
    assert verdict.valid == "unknown"
    assert verdict.reason
