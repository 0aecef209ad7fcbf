"""The wire between hosts: who may speak, and what becomes of bytes that are no messages of the run."""

import os
import time
from collections.abc import Iterator

import msgspec
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from actors.message import Message
from actors.node import Actor
from cluster.codec import MAX_FRAME_BYTES, Codec, MalformedFrame
from cluster.live.socket import Inbox, Keys, Outbox, new_keys


class Ping(Message, frozen=True):
    """A message of the run."""

    number: int
    words: tuple[str, ...] = ()


class Stranger(Message, frozen=True):
    """A message of another run."""

    number: int


class Pinged(Actor):
    """Takes pings."""

    handlers = {Ping: lambda self, sender, message: None}


NODES = 50
CODEC = Codec([Pinged], NODES)


@pytest.fixture
def context() -> Iterator["zmq.Context[zmq.Socket[bytes]]"]:
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield made
    made.destroy(linger=0)


def wait_for(inbox: Inbox, seconds: float) -> bytes | None:
    """The first frame that comes within a time."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if (frame := inbox.receive()) is not None:
            return frame
        time.sleep(0.005)
    return None


def plain_socket(context: "zmq.Context[zmq.Socket[bytes]]", kind: int) -> "zmq.Socket[bytes]":
    """A socket without CURVE."""
    socket = context.socket(kind)
    socket.linger = 0
    return socket


# who may speak


def test_a_host_of_the_run_is_heard(context: "zmq.Context[zmq.Socket[bytes]]") -> None:
    keys = new_keys()
    inbox = Inbox(context, keys)
    outbox = Outbox(context, keys, inbox.address)
    outbox.send(b"hello")
    assert wait_for(inbox, 2) == b"hello"


@pytest.mark.parametrize("intruder", ["no keys", "keys of its own", "the other run's"])
def test_a_peer_without_the_runs_key_gets_nothing_in(context: "zmq.Context[zmq.Socket[bytes]]", intruder: str) -> None:
    """And it disturbs nobody who may speak."""
    keys, others = new_keys(), new_keys()
    inbox = Inbox(context, keys)
    socket = plain_socket(context, zmq.PUSH)
    if intruder != "no keys":
        socket.curve_serverkey = others.public
        socket.curve_publickey, socket.curve_secretkey = new_keys() if intruder == "keys of its own" else others
    socket.connect(inbox.address)
    socket.send(b"from outside", zmq.NOBLOCK)
    assert wait_for(inbox, 0.4) is None
    outbox = Outbox(context, keys, inbox.address)
    outbox.send(b"from inside")
    assert wait_for(inbox, 2) == b"from inside"


@pytest.mark.parametrize("curve", [False, True])
def test_a_peer_without_the_runs_key_gets_nothing_out(context: "zmq.Context[zmq.Socket[bytes]]", curve: bool) -> None:
    """Somebody who listens where a host is expected can't finish the handshake, and no frame leaves for it."""
    keys, impostor = new_keys(), new_keys()
    socket = plain_socket(context, zmq.PULL)
    if curve:
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = impostor
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    outbox = Outbox(context, keys, f"tcp://127.0.0.1:{port}")
    outbox.send(b"secret")
    assert socket.poll(400) == 0


def test_knowing_who_listens_is_not_enough(context: "zmq.Context[zmq.Socket[bytes]]") -> None:
    """The public half is told within the run only; even so the secret half is what opens the way out."""
    keys = new_keys()
    outbox_keys = Keys(keys.public, new_keys().secret)
    socket = plain_socket(context, zmq.PULL)
    socket.curve_server = True
    socket.curve_publickey, socket.curve_secretkey = outbox_keys
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    outbox = Outbox(context, keys, f"tcp://127.0.0.1:{port}")
    outbox.send(b"secret")
    assert socket.poll(400) == 0


def test_a_frame_over_the_limit_ends_its_connection_and_nothing_else(
    context: "zmq.Context[zmq.Socket[bytes]]",
) -> None:
    keys = new_keys()
    inbox = Inbox(context, keys)
    large, other = Outbox(context, keys, inbox.address), Outbox(context, keys, inbox.address)
    large.send(b"x" * (MAX_FRAME_BYTES + 1))
    other.send(b"small")
    assert wait_for(inbox, 2) == b"small"
    assert wait_for(inbox, 0.2) is None


# what is said

letters = st.lists(
    st.tuples(
        st.integers(0, 2**62),
        st.integers(0, NODES - 1),
        st.integers(0, NODES - 1),
        st.builds(Ping, st.integers(-(2**63), 2**63 - 1), st.lists(st.text(max_size=5), max_size=3).map(tuple)),
    )
)


@given(letters)
def test_a_frame_gives_back_what_was_put_in(sent: list[tuple[int, int, int, Message]]) -> None:
    assert CODEC.decode(CODEC.encode(sent)) == sent


@given(st.binary(max_size=300))
def test_bytes_that_are_no_frame_are_refused_as_such(noise: bytes) -> None:
    """Never with another error, and never half."""
    try:
        decoded = CODEC.decode(noise)
    except MalformedFrame:
        return
    assert all(isinstance(message, Ping) for *_, message in decoded)


@given(letters.filter(bool), st.data())
def test_a_frame_with_a_byte_changed_is_refused_or_of_the_right_types(
    sent: list[tuple[int, int, int, Message]], data: st.DataObject
) -> None:
    frame = bytearray(CODEC.encode(sent))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decoded = CODEC.decode(bytes(frame))
    except MalformedFrame:
        return
    assert all(isinstance(message, Ping) and isinstance(message.number, int) for *_, message in decoded)


def test_a_message_of_another_run_is_refused() -> None:
    frame = msgspec.msgpack.encode([(0, 0, 1, Stranger(1))])
    with pytest.raises(MalformedFrame):
        CODEC.decode(frame)


def test_a_letter_to_nobody_is_refused() -> None:
    """Handlers may look a sender's region up: a number that is no node must not come so far."""
    for letter in ((0, NODES, 1, Ping(1)), (0, 1, NODES, Ping(1)), (0, -1, 1, Ping(1)), (-1, 0, 1, Ping(1))):
        with pytest.raises(MalformedFrame):
            CODEC.decode(msgspec.msgpack.encode([letter]))


def test_a_deeply_nested_frame_is_refused() -> None:
    with pytest.raises(MalformedFrame):
        CODEC.decode(b"\x91" * 100_000)


def test_a_pickle_is_refused() -> None:
    """Nothing on the wire is ever unpickled."""
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("touch /tmp/never",)

    with pytest.raises(MalformedFrame):
        CODEC.decode(pickle.dumps(Bomb()))
