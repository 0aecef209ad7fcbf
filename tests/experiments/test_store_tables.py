"""What goes into a run's Parquet files comes out of them."""

import tempfile
from pathlib import Path

import duckdb
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.history import Invoke, Operation, Return
from actors.protocols.raft_messages import Committed, LogChanged
from cluster.journal import (
    NOBODY,
    Entry,
    FaultHealed,
    FaultInjected,
    FaultSkipped,
    HostClock,
    NodeStarted,
    NodeStopped,
    Traffic,
)
from cluster.topology import Topology
from experiments.recording import record
from experiments.store import tables

TOPOLOGY = Topology(("us-east-1", "eu-west-1", "us-east-1", "eu-west-1"), 2)
EVENTS = (Committed, LogChanged, Invoke, Return)

numbers = st.integers(-(2**63), 2**63 - 1)
times = st.integers(-(2**60), 2**60)
counts = st.integers(0, 2**40)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
atoms = st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | texts
values = atoms | st.lists(atoms, max_size=3).map(tuple)
servers = st.sampled_from([0, 1])
events = st.one_of(
    st.builds(Committed, counts, counts),
    st.builds(LogChanged, counts, st.lists(st.tuples(counts, numbers, counts), max_size=3).map(tuple)),
    st.builds(NodeStarted, counts, texts),
    st.just(NodeStopped()),
    st.builds(FaultInjected, counts, texts, numbers, st.lists(servers).map(tuple), texts),
    st.builds(FaultHealed, counts),
    st.builds(FaultSkipped, texts, numbers, texts),
    st.builds(Traffic, counts, counts, counts, counts),
    st.builds(HostClock, texts, numbers, counts),
)
operations = st.builds(
    Operation,
    process=st.integers(0, 50),
    node=st.sampled_from([2, 3]),
    workload=texts,
    function=texts,
    key=texts,
    value=values,
    intended_ns=times,
    invoke_ns=times,
    return_ns=st.none() | times,
    outcome=st.sampled_from(["ok", "fail", "info"]),
    result=values,
    error=st.none() | texts,
    ended_ns=st.none() | times,
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(operations, max_size=20),
    st.lists(st.builds(Entry, times, st.sampled_from([NOBODY, 0, 1]), events), max_size=20),
)
def test_a_recording_survives_its_way_through_parquet(history, entries):
    recording = msgspec.structs.replace(record(TOPOLOGY, 10, 0, entries), history=history)
    with tempfile.TemporaryDirectory() as name:
        tables.write(Path(name), recording, entries)
        read_entries, read_history = tables.read(Path(name), EVENTS)
    assert (read_entries, read_history) == (entries, history)


@given(values)
def test_a_value_keeps_its_type_and_not_only_its_size(value):
    """1, 1.0 and True are equal in Python; -0.0 and 0.0 too."""
    back = tables._value(tables.to_json(value))
    assert repr(back) == repr(value)


def test_invokes_and_returns_are_in_the_history_alone(tmp_path):
    entries = [
        Entry(10, 2, Invoke(0, "register", "write", "k1", 1, 5)),
        Entry(30, 2, Return(0, "ok")),
        Entry(40, 0, Committed(1, 2)),
    ]
    tables.write(tmp_path, record(TOPOLOGY, 100, 0, entries), entries)
    assert tables.read(tmp_path, EVENTS)[0] == entries[2:]


def test_the_seconds_are_counted_by_region_and_function_from_the_intended_time(tmp_path):
    second = 1_000_000_000
    entries = [
        Entry(second + 1_000_000, 2, Invoke(0, "register", "write", "k1", 1, second - 1_000_000)),
        Entry(second + 2_000_000, 2, Return(0, "ok")),
        Entry(second + 3_000_000, 3, Invoke(1, "register", "read", "k1", None, second)),
        Entry(second + 4_000_000, 3, Return(1, "info", error="timeout")),
    ]
    tables.write(tmp_path, record(TOPOLOGY, 2 * second, 0, entries), entries)
    rows = duckdb.sql(f"SELECT * FROM '{tmp_path / tables.METRICS}'").fetchall()
    assert rows == [
        (0, "us-east-1", "write", 1, 0, 0, 1.0, 3.0, 3.0),
        (1, "eu-west-1", "read", 0, 0, 1, 0.0, None, None),
    ]
