"""Every metric against a formula of another kind, on recordings made by Hypothesis or by hand."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.election import RoleChanged
from actors.errors import ERRORS
from actors.history import Operation, Retried
from actors.protocols.raft_messages import Committed
from cluster.journal import NodeStopped, Traffic
from cluster.topology import Topology
from experiments.metrics import METRICS, measure, recoveries
from experiments.recording import FaultRecord, Observed, Recording, Unsent

MS = 1_000_000
NEAR, FAR = "us-east-1", "eu-west-1"
TOPOLOGY = Topology((NEAR, NEAR, FAR, NEAR, FAR), 3)  # three servers; client nodes 3 and 4
DURATION_MS, WARM_UP_MS = 1_000, 100
DEFINITE = [name for name, row in ERRORS.items() if row.outcome == "fail"]


def operation(
    intended_ms: int, took_ms: int | None, *, late_ms: int = 0, node: int = 3, function: str = "read",
    outcome: str = "ok", error: str | None = None, number: int = 0,
) -> Operation:  # fmt: skip
    """An operation that was sent `late_ms` after it was meant to be; `took_ms` counts from the sending."""
    sent_ns = (intended_ms + late_ms) * MS
    ended_ns = None if took_ms is None else sent_ns + took_ms * MS
    return Operation(
        process=number, node=node, workload="register", function=function, key="k1", value=None,
        intended_ns=intended_ms * MS, invoke_ns=sent_ns, return_ns=None if outcome == "info" else ended_ns,
        outcome=outcome, error=error, ended_ns=ended_ns,  # type: ignore[arg-type]
    )  # fmt: skip


def fault(at_ms: int, *, kind: str = "crash", nodes: tuple[int, ...] = (0,), number: int = 0) -> FaultRecord:
    at_ns = at_ms * MS
    return FaultRecord(
        number=number, fault=kind, planned_ns=at_ns, injected_ns=at_ns, healed_ns=None, nodes=nodes, detail=""
    )


def recording(history: list[Operation] = [], **more: Any) -> Recording:  # noqa: B006 - never changed
    fields: dict[str, Any] = {
        "topology": TOPOLOGY, "duration_ns": DURATION_MS * MS, "warm_up_ns": WARM_UP_MS * MS,
        "end_ns": (DURATION_MS + 50) * MS, "events": [], "faults": [], "skipped": [],
        "traffic": Traffic(sent=10, dropped=3, delivered=7, bytes=0),
    }  # fmt: skip
    return Recording(history=sorted(history, key=lambda one: one.invoke_ns), **(fields | more))


def figures(history: list[Operation] = [], **more: Any) -> dict[str, float | None]:  # noqa: B006
    return measure(recording(history, **more))


OUTCOMES = st.sampled_from(
    [("ok", None), ("info", "timed-out"), ("info", "no-answer"), *(("fail", name) for name in DEFINITE)]
)
OPERATIONS = st.lists(
    st.builds(
        lambda intended, took, late, node, function, how, number: operation(
            intended, took, late_ms=late, node=node, function=function, outcome=how[0], error=how[1], number=number
        ),
        st.integers(0, DURATION_MS), st.integers(0, 300), st.integers(0, 50), st.sampled_from([3, 4]),
        st.sampled_from(["read", "write"]), OUTCOMES, st.integers(0, 9),
    ),
    max_size=40,
)  # fmt: skip
UNSENT = st.lists(
    st.builds(Unsent, st.sampled_from([3, 4]), st.integers(0, DURATION_MS).map(lambda ms: ms * MS)), max_size=8
)


def counted(history: list[Operation], label: str = "") -> list[Operation]:
    """The operations that a label speaks of, after the warm-up."""
    wanted = dict(part.split("=") for part in label.strip("[]").split(",") if part)
    return [
        one
        for one in history
        if one.intended_ns >= WARM_UP_MS * MS
        and wanted.get("region", TOPOLOGY.regions[one.node]) == TOPOLOGY.regions[one.node]
        and wanted.get("op", one.function) == one.function
    ]


def answered(one: Operation) -> bool:
    return one.outcome == "ok" or one.error in ("compare-failed", "wrong-type")


LABELS = ["", f"[region={NEAR}]", f"[region={FAR}]", "[op=read]", f"[region={FAR},op=write]"]


@given(OPERATIONS, UNSENT, st.sampled_from(LABELS))
def test_counts_throughput_and_availability(history: list[Operation], unsent: list[Unsent], label: str) -> None:
    found = figures(history, abandoned=unsent)
    mine = counted(history, label)
    if f"operations{label}" not in found:
        assert mine == [], "a function that nobody called has no row"
        return
    assert found[f"operations{label}"] == len(mine)
    for metric, outcome in (("ok", "ok"), ("failed", "fail"), ("unknown_outcomes", "info")):
        assert found[f"{metric}{label}"] == sum(one.outcome == outcome for one in mine)
    assert found[f"rejected{label}"] == sum(one.outcome == "fail" and not answered(one) for one in mine)
    seconds = (DURATION_MS - WARM_UP_MS) / 1000
    assert found[f"throughput_ops_s{label}"] == pytest.approx(sum(one.outcome == "ok" for one in mine) / seconds)
    lost = [one for one in unsent if one.intended_ns >= WARM_UP_MS * MS]
    lost = [one for one in lost if "op=" not in label and label in ("", f"[region={TOPOLOGY.regions[one.node]}]")]
    intended = len(mine) + len(lost)
    assert found[f"availability{label}"] == (sum(map(answered, mine)) / intended if intended else None)
    if "op=" not in label:
        assert found[f"unsent{label}"] == len(lost)


@given(OPERATIONS, st.sampled_from(LABELS))
def test_latency_counts_from_the_intended_start_of_what_was_answered(history: list[Operation], label: str) -> None:
    found, mine = figures(history), counted(history, label)
    times = sorted((one.return_ns or 0) - one.intended_ns for one in mine if answered(one))
    for name, share, needs in (
        ("p50", 0.5, 1),
        ("p90", 0.9, 1),
        ("max", 1.0, 1),
        ("p99", 0.99, 100),
        ("p99_9", 0.999, 1000),
    ):
        value = found.get(f"latency_{name}_ms{label}")
        if len(times) < needs:
            assert value is None
        else:
            assert value == times[math.ceil(share * len(times)) - 1] / MS


def test_the_high_percentiles_where_there_are_enough_operations() -> None:
    found = figures([operation(WARM_UP_MS, number + 1, number=number) for number in range(1000)])
    assert (found["latency_p99_ms"], found["latency_p99_9_ms"]) == (990.0, 999.0)
    assert figures([operation(WARM_UP_MS, 1, number=n) for n in range(99)])["latency_p99_ms"] is None
    assert figures([operation(WARM_UP_MS, 1, number=n) for n in range(999)])["latency_p99_9_ms"] is None


@given(OPERATIONS)
def test_the_longest_outage_is_the_longest_window_without_an_ok(history: list[Operation]) -> None:
    """By brute force: every window between two of the moments that could bound one."""
    mine = counted(history)
    found = figures(history)["longest_outage_ms"]
    if not mine:
        assert found is None
        return
    first, last = min(one.intended_ns for one in mine), max(one.intended_ns for one in mine)
    oks = [one.return_ns for one in mine if one.outcome == "ok" and one.return_ns is not None]
    moments = {first, last, *(ok for ok in oks if first <= ok <= last)}
    empty = [b - a for a in moments for b in moments if a <= b and not any(a < ok < b for ok in oks)]
    assert found == max(empty) / MS


@given(OPERATIONS, st.lists(st.tuples(st.integers(0, DURATION_MS), st.sampled_from(["crash", "pause"])), max_size=5))
def test_recovery_is_the_first_ok_that_began_after_the_fault(
    history: list[Operation], at: list[tuple[int, str]]
) -> None:
    faults = [fault(ms, kind=kind, number=number) for number, (ms, kind) in enumerate(at)]
    run = recording(history, faults=faults)
    took: dict[str, list[float]] = {"crash": [], "pause": []}
    for one, row in zip(faults, recoveries(run), strict=True):
        oks = [
            op.return_ns
            for op in history
            if op.outcome == "ok" and op.invoke_ns >= one.injected_ns and op.return_ns is not None
        ]
        expected = (min(oks) if oks else run.end_ns) - one.injected_ns
        assert (row.recovery_ns, row.open, row.fault) == (expected, not oks, one.fault)
        took[one.fault].append(expected / MS)
    found = measure(run)
    every = sorted(took["crash"] + took["pause"])
    assert found["faults_injected"] == len(at)
    assert found["recovery_max_ms"] == (every[-1] if every else None)
    assert found["recovery_p50_ms"] == (every[math.ceil(0.5 * len(every)) - 1] if every else None)
    for kind, times in took.items():
        if times:
            assert found[f"recovery_max_ms[fault={kind}]"] == max(times)
            assert found[f"faults_injected[fault={kind}]"] == len(times)


ROLES = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from([0, 1, 2]),
        st.sampled_from(["leader", "follower", "stopped"]),
        st.integers(1, 4),
    ),
    max_size=14,
)


@given(ROLES)
@settings(max_examples=60)
def test_leadership_is_what_a_clock_that_looks_every_half_millisecond_sees(
    told: list[tuple[int, int, str, int]],
) -> None:
    told.sort(key=lambda one: one[0])
    events = [
        Observed(ms * MS, node, NodeStopped() if role == "stopped" else RoleChanged(role, term))  # type: ignore[arg-type]
        for ms, node, role, term in told
    ]
    found = figures(events=events, end_ns=250 * MS, duration_ns=250 * MS)
    overlapping = 0.0
    for half in range(500):
        now_ms = half / 2 + 0.25
        latest = {node: role for ms, node, role, _ in told if ms < now_ms}
        overlapping += 0.5 * (list(latest.values()).count("leader") >= 2)
    elected = [(term, node) for _, node, role, term in told if role == "leader"]
    per_term = [len({node for term, node in elected if term == one}) for one, _ in elected]
    assert found["leader_overlap_ms"] == pytest.approx(overlapping)
    assert found["elections"] == len(elected)
    assert found["leaders_per_term_max"] == max(per_term, default=None)
    assert found["first_leader_ms"] == min((ms for ms, _, role, _ in told if role == "leader"), default=None)


def test_a_reelection_counts_from_a_fault_that_hit_the_leader_to_the_next_later_term() -> None:
    events = [
        Observed(10 * MS, 0, RoleChanged("leader", 1)),
        Observed(130 * MS, 1, RoleChanged("leader", 2)),
        Observed(140 * MS, 0, RoleChanged("follower", 2)),
        Observed(330 * MS, 2, RoleChanged("leader", 3)),
    ]
    hit = [fault(100), fault(150, number=1), fault(300, nodes=(1,), number=2), fault(400, nodes=(2,), number=3)]
    found = figures(events=events, faults=hit)
    assert found["reelection_max_ms"] == 30.0  # of the first and the third; nobody followed the fourth
    assert found["reelection_p50_ms"] == 30.0
    assert figures(events=events)["reelection_max_ms"] is None


def test_what_it_took() -> None:
    events = [Observed(0, 0, Committed(1, index)) for index in (1, 5, 3)]
    events += [Observed(ms * MS, 3, Retried(0, 2)) for ms in (50, 150, 250)]
    found = figures(events=events, traffic=Traffic(sent=20, dropped=3, delivered=17, bytes=4096, lag_p99_ns=2 * MS))
    names = ("commits", "messages_sent", "messages_dropped", "messages_delivered", "bytes_sent", "messages_per_commit")
    assert [found[name] for name in names] == [5, 20, 3, 17, 4096, 4.0]
    assert (found["host_lag_p99_ms"], found["retries"]) == (2.0, 2)
    assert (figures()["commits"], figures()["messages_per_commit"], figures()["bytes_sent"]) == (None, None, None)


def test_a_run_without_operations_has_no_data_where_there_is_none() -> None:
    found = figures()
    assert found["operations"] == found["ok"] == found["throughput_ops_s"] == 0
    assert [found[name] for name in ("availability", "latency_p50_ms", "longest_outage_ms", "recovery_max_ms")] == [
        None
    ] * 4


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_is(name: str) -> None:
    row = METRICS[name]
    assert row.formula
    assert row.better in ("higher", "lower", "")
    units = {"ms": "_ms", "s": "_s", "ops/s": "_ops_s"}
    assert name.endswith(units.get(row.unit, ""))


@given(OPERATIONS)
def test_every_metric_of_a_run_has_a_row_and_labels_that_the_row_has(history: list[Operation]) -> None:
    for name in figures(history, faults=[fault(5)]):
        base, _, labels = name.partition("[")
        given_labels = {part.partition("=")[0] for part in labels.rstrip("]").split(",") if part}
        assert given_labels <= set(METRICS[base].labels), name
