"""How far a host's clock is from the conductor's: found by pings over the wire, with a bound that is certain.

A ping that left at t0 and came back at t1 with the other's time r says that r was read between the two: the offset is
r - (t0 + t1) / 2 to within (t1 - t0) / 2. Of many pings the quickest says most (Cristian, "Probabilistic clock
synchronization", 1989, section 3).
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import zmq

from cluster.journal import HostClock
from cluster.live.socket import Keys, new_keys

PINGS = 20
PATIENCE_MS = 2000

Clock = Callable[[], int]


class Offset(NamedTuple):
    """Add it to the conductor's clock to get the host's, to within the bound."""

    offset_ns: int
    bound_ns: int


class ClockServer:
    """Answers pings with a host's clock, in a thread of its own."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", keys: Keys, ip: str, clock: Clock) -> None:
        self._socket = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.curve_server = True
        self._socket.curve_publickey, self._socket.curve_secretkey = keys
        self.address = f"tcp://{ip}:{self._socket.bind_to_random_port(f'tcp://{ip}')}"
        self._clock = clock
        threading.Thread(target=self._serve, name="clock", daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                self._socket.recv()
                self._socket.send(self._clock().to_bytes(8, "little"))
        except zmq.ContextTerminated:
            self._socket.close()


class ClockProbe:
    """Pings one host's clock."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", keys: Keys, address: str) -> None:
        self._socket = context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
        self._socket.curve_serverkey = keys.public
        self._socket.curve_publickey, self._socket.curve_secretkey = new_keys()
        self._socket.connect(address)

    def measure(self, pings: int = PINGS) -> Offset:
        """The offset by the quickest of some pings. Raises zmq.Again if the host does not answer."""
        return min((self._ping() for _ in range(pings)), key=lambda found: found.bound_ns)

    def _ping(self) -> Offset:
        sent_ns = time.monotonic_ns()
        self._socket.send(b"")
        there_ns = int.from_bytes(self._socket.recv(), "little")
        back_ns = time.monotonic_ns()
        return Offset(there_ns - (sent_ns + back_ns) // 2, (back_ns - sent_ns) // 2 + 1)

    def close(self) -> None:
        self._socket.close()


class Clocks:
    """What is known of the hosts' clocks. Those on the conductor's machine are its own."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._first: dict[str, Offset] = {}
        self._bound_ns: dict[str, int] = {}
        self._addresses: dict[str, str] = {}

    def measure(self, host: str, clock: str | None) -> None:
        """Find out a host's offset when it starts: its journal's times are shifted by that. `clock`: its address."""
        if clock is None:
            return
        self._addresses[host] = clock
        self._first[host] = found = _measure(self._keys, clock)
        self._bound_ns[host] = max(found.bound_ns, self._bound_ns.get(host, 0))

    def measure_again(self) -> list[HostClock]:
        """How far off each host's times may be by now: clocks drift apart during a run."""
        told = []
        for host, address in self._addresses.items():
            first = self._first[host]
            with contextlib.suppress(zmq.Again):  # it may be down
                now = _measure(self._keys, address)
                off_ns = abs(now.offset_ns - first.offset_ns) + now.bound_ns
                self._bound_ns[host] = max(self._bound_ns[host], off_ns)
            told.append(HostClock(host, first.offset_ns, self._bound_ns[host]))
        return told

    def offset_ns(self, host: str) -> int:
        """What to add to the conductor's clock to get the host's."""
        return self._first[host].offset_ns if host in self._first else 0


def _measure(keys: Keys, address: str) -> Offset:
    probe = ClockProbe(zmq.Context.instance(), keys, address)
    try:
        return probe.measure()
    finally:
        probe.close()
