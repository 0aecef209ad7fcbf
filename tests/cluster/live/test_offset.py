"""Offsets between hosts' clocks: what is found lies within its bound of the truth."""

import time
from collections.abc import Iterator

import pytest
import zmq

from actors.settings import MS
from cluster.live.offset import ClockProbe, ClockServer, Offset
from cluster.live.socket import LOOPBACK, new_keys


@pytest.fixture
def context() -> Iterator["zmq.Context[zmq.Socket[bytes]]"]:
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield made
    made.term()  # the server's thread closes its socket then


def measured(probe: ClockProbe, pings: int = 20) -> Offset:
    try:
        return probe.measure(pings)
    finally:
        probe.close()


@pytest.mark.parametrize("true_ns", [0, 3_600_000_000_000, -7 * MS, 123_456_789])
def test_an_offset_is_found_to_within_its_bound(context: "zmq.Context[zmq.Socket[bytes]]", true_ns: int) -> None:
    keys = new_keys()
    server = ClockServer(context, keys, LOOPBACK, lambda: time.monotonic_ns() + true_ns)
    found = measured(ClockProbe(context, keys, server.address))
    assert abs(found.offset_ns - true_ns) <= found.bound_ns
    assert found.bound_ns < 20 * MS


def test_a_slow_way_back_widens_the_bound_and_never_falsifies_it(context: "zmq.Context[zmq.Socket[bytes]]") -> None:
    """The worst case: all of the trip's time lies on one side of the reading."""
    keys = new_keys()

    def slow() -> int:
        read_ns = time.monotonic_ns()
        time.sleep(0.02)
        return read_ns

    server = ClockServer(context, keys, LOOPBACK, slow)
    found = measured(ClockProbe(context, keys, server.address), pings=3)
    assert abs(found.offset_ns) <= found.bound_ns
    assert found.bound_ns >= 10 * MS


def test_a_clock_that_does_not_answer_is_no_silent_wait(context: "zmq.Context[zmq.Socket[bytes]]") -> None:
    with pytest.raises(zmq.Again):
        measured(ClockProbe(context, new_keys(), f"tcp://{LOOPBACK}:9"))
