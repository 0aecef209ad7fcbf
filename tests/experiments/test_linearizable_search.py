"""The search against brute force: every order of every small history."""

from itertools import chain, combinations, permutations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from actors.client import Command
from actors.history import Operation
from actors.message import Value
from actors.state.key_value import KeyValue
from experiments.checkers.linearizable import linearizable

VALUES = (None, 1, 2)
LISTS = (None, (), (1,), (2,), (1, 2), (2, 1), (1, 1))
ANSWERS = ("compare-failed", "wrong-type")


def is_explained(history: list[Operation], bound_ns: int) -> bool:
    """Whether any order of the definite operations and some of the unknown ones replays on a real key-value machine."""
    definite = [one for one in history if one.outcome == "ok" or one.error in ANSWERS]
    unknown = [one for one in history if one.outcome == "info"]
    some = chain.from_iterable(combinations(unknown, size) for size in range(len(unknown) + 1))
    return any(replays(order, bound_ns) for chosen in some for order in permutations((*definite, *chosen)))


def replays(order: tuple[Operation, ...], bound_ns: int) -> bool:
    if any(comes_first(later, former, bound_ns) for former, later in combinations(order, 2)):
        return False
    machine = KeyValue()
    for serial, one in enumerate(order):
        error, value = machine.apply(Command(serial, 1, one.function, one.key, one.value))
        if one.outcome == "ok" and (error is not None or (one.function == "read" and value != one.result)):
            return False
        if one.outcome == "fail" and (error, value) != (one.error, one.result):
            return False
    return True


def comes_first(one: Operation, other: Operation, bound_ns: int) -> bool:
    """Whether `one` must take effect before `other`: it ended earlier, or in its process it was asked earlier."""
    if one.return_ns is None:
        return False
    earlier = one.process == other.process and one.intended_ns < other.intended_ns
    return earlier or one.return_ns + bound_ns < other.invoke_ns - bound_ns


@st.composite
def histories(draw: st.DrawFn, *, functions: tuple[str, ...], longest: int = 6) -> list[Operation]:
    """Up to three processes on one key, with ties in time, open operations and failed compares; values repeat."""
    clock = dict.fromkeys(range(3), 0)
    history = []
    for number in range(draw(st.integers(1, longest))):
        process = draw(st.sampled_from(sorted(clock)))
        start = clock[process] + draw(st.integers(0, 3))
        end = start + draw(st.integers(0, 5))
        function = draw(st.sampled_from(functions))
        outcome, error = draw(st.sampled_from(outcomes(function)))
        clock[process] = end
        if outcome == "info":  # its number comes back, as in histories of other tools
            clock[process] = start + draw(st.integers(0, 2))
        found = draw(st.sampled_from(LISTS if "append" in functions else VALUES))
        history.append(
            Operation(
                process=process,
                node=0,
                workload="w",
                function=function,
                key="k",
                value=draw(st.sampled_from(questions(function))),
                intended_ns=number,
                invoke_ns=start,
                return_ns=None if outcome == "info" else end,
                outcome=outcome,  # type: ignore[arg-type]
                result=found if function == "read" or outcome == "fail" else None,
                error=error,
            )
        )
    return sorted(history, key=lambda one: one.invoke_ns)


def outcomes(function: str) -> list[tuple[str, str | None]]:
    definite: list[tuple[str, str | None]] = [("ok", None), ("ok", None), ("ok", None), ("info", "timed-out")]
    failed: dict[str, list[tuple[str, str | None]]] = {
        "cas": [("fail", "compare-failed")],
        "append": [("fail", "wrong-type")],
        "read": [],
        "write": [("fail", None)],
    }
    return definite + failed[function]


def questions(function: str) -> list[Value]:
    pairs: list[Value] = [(old, new) for old in VALUES for new in (1, 2)]
    return {"read": [None], "write": [1, 2, None], "cas": pairs, "append": [1, 2, (1,)]}[function]  # type: ignore[return-value]


@pytest.mark.parametrize(
    "functions",
    [("read", "write"), ("read", "write", "cas"), ("read", "append"), ("read", "write", "cas", "append")],
    ids="-".join,
)
def test_the_search_agrees_with_brute_force(functions: tuple[str, ...]) -> None:
    """Sound and complete on small histories, whatever the clock bound."""

    @settings(max_examples=1_500, deadline=None)
    @given(history=histories(functions=functions), bound_ns=st.sampled_from((0, 0, 1)))
    def agrees(history: list[Operation], bound_ns: int) -> None:
        verdict = linearizable(history, clock_bound_ns=bound_ns)
        explained = is_explained(history, bound_ns)
        event(f"{verdict.valid}")
        assert verdict.valid == ("unknown" if verdict.checked == 0 else explained)

    agrees()


@settings(max_examples=300, deadline=None)
@given(history=histories(functions=("read", "write", "cas"), longest=6))
def test_the_operation_named_ends_the_shortest_prefix_without_an_order(history: list[Operation]) -> None:
    """What returned before it can be ordered by brute force, and it as well can't."""
    verdict = linearizable(history)
    if verdict.valid is not False:
        return
    stuck = history[verdict.evidence["anomalies"][0]["operation"]["operation"]]
    done = [one for one in history if one.return_ns is not None and one.return_ns < (stuck.return_ns or 0)]
    begun = [one for one in history if one.outcome == "info" or (one not in done and one.outcome == "ok")]
    still_open = [Operation(**{**asdict(one), "outcome": "info", "return_ns": None}) for one in begun]
    assert is_explained([*done, *still_open], 0)


def asdict(operation: Operation) -> dict[str, object]:
    return {field: getattr(operation, field) for field in operation.__struct_fields__}


def test_a_process_that_contradicts_itself_in_one_moment_is_named_before_what_comes_later() -> None:
    """Zones condemn the key for the value that nobody wrote; what its process did in no time was wrong before that."""

    def done(process: int, function: str, value: int | None, result: int | None, end: int, place: int) -> Operation:
        return Operation(
            process=process, node=0, workload="w", function=function, key="k", value=value, intended_ns=place,
            invoke_ns=0, return_ns=end, outcome="ok", result=result,
        )  # fmt: skip

    history = [done(0, "read", None, 1, 1, 0), done(1, "write", 2, None, 0, 1), done(1, "read", None, None, 0, 2)]
    assert linearizable(history).evidence["anomalies"][0]["operation"]["operation"] == 2
