"""A host's loop without Ray around it: two of them in threads of this process, over real sockets."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq
from fabric_runs import entries_of
from scenario import small_setup
from witnesses import Beacon, Heard

from actors.settings import MS, SECOND, Settings
from cluster.fabric import ActorSpec, Setup
from cluster.journal import Traffic
from cluster.live.host_loop import HostLoop
from cluster.live.host_plan import Home, HostPlan
from cluster.live.observer import COPY_HEADER
from cluster.live.socket import LOOPBACK, Inbox, Keys, Outbox, new_keys

SETUP = small_setup([ActorSpec(Beacon, Settings())] * 2, duration_ns=SECOND)


class Pair:
    """Two hosts with a beacon each, and a socket of somebody who has the run's key."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        (folder / "journal").mkdir(exist_ok=True)
        self.folder = folder
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.keys: Keys = new_keys()
        self.observer = Inbox(self.context, self.keys)
        self.loops = [HostLoop(setup, self.plan(number), self.context) for number in range(2)]
        for number, loop in enumerate(self.loops):
            loop.starts = {number: 0}
        addresses = {loop.host: loop.inbox.address for loop in self.loops}
        for loop in self.loops:
            loop.connect(addresses, {0: "n1", 1: "n2"}, self.observer.address)
        self.origin_ns = time.monotonic_ns() + 20 * MS
        for loop in self.loops:
            threading.Thread(target=loop.run, args=(self.origin_ns,), daemon=True).start()

    def plan(self, number: int) -> HostPlan:
        return HostPlan(
            name=f"n{number + 1}",
            number=number,
            life=0,
            folder=self.folder,
            keys=self.keys,
            home=Home(LOOPBACK, "", False),
            ip=LOOPBACK,
        )

    def insider(self) -> Outbox:
        """A socket to the first host, with the run's key."""
        return Outbox(self.context, self.keys, self.loops[0].inbox.address)

    def stop(self) -> None:
        for loop in self.loops:
            loop.command(loop.stop)
            assert loop.over.wait(5)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(SETUP, tmp_path)
    yield made
    if not all(loop.over.is_set() for loop in made.loops):
        made.stop()
    made.observer.close()
    made.context.destroy(linger=0)


GARBAGE = (
    b"",
    b"\xc1",
    b"\x80",
    msgspec.msgpack.encode([(0, 1, 0, ["Unknown", 1])]),
    msgspec.msgpack.encode([(0, 1, 0, ["Beat", "not a number", 1, 2])]),
    msgspec.msgpack.encode([(0, 99, 0, ["Beat", 0, 1, 2])]),
    msgspec.msgpack.encode({"what": "a map"}),
)


def test_malformed_frames_are_counted_and_dropped(pair: Pair) -> None:
    """Whoever has the key and sends rubbish, a bug of ours say, must not bring a host down."""
    time.sleep(0.1)
    insider = pair.insider()
    for frame in GARBAGE:
        assert insider.send(frame)
    time.sleep(0.3)
    pair.stop()
    assert [loop.failure for loop in pair.loops] == [None, None]
    entries = entries_of(SETUP, pair.folder)
    assert sum(e.item.malformed for e in entries if isinstance(e.item, Traffic)) == len(GARBAGE)
    heard = [e for e in entries if isinstance(e.item, Heard) and e.node == 0]
    assert len(heard) > 5, "the beacons talked on"
    assert {e.item.sender for e in heard} == {1}


def test_each_host_sends_its_journal_to_the_observer(pair: Pair) -> None:
    time.sleep(0.2)
    pair.stop()
    copied = 0
    while (copy := pair.observer.receive()) is not None:
        copied += len(msgspec.msgpack.decode(copy[COPY_HEADER.size :]))
    assert copied > 60


def test_a_full_disk_ends_the_loop_and_says_so(tmp_path: Path) -> None:
    """What was journalled before stays readable; here that is the other host's journal."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "n1-0.msgpack").symlink_to("/dev/full")
    pair = Pair(SETUP, tmp_path)
    assert pair.loops[0].over.wait(5)
    assert isinstance(pair.loops[0].failure, OSError)
    assert "No space left on device" in str(pair.loops[0].failure)
    time.sleep(0.2)
    pair.loops[1].command(pair.loops[1].stop)
    assert pair.loops[1].over.wait(5)
    (tmp_path / "journal" / "n1-0.msgpack").unlink()
    assert entries_of(SETUP, tmp_path)
    pair.observer.close()


def test_a_failing_handler_ends_the_loop_and_says_why(pair: Pair) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    pair.loops[0].command(fail)
    assert pair.loops[0].over.wait(5)
    assert isinstance(pair.loops[0].failure, ZeroDivisionError)
