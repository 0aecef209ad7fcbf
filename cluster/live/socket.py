"""ZeroMQ sockets with CURVE keys made for the run, and a wait that is exact to microseconds.

Every receiving socket has the run's key pair; its public half is told only to the run's own hosts, through Ray. Whoever
does not know it cannot finish CURVE's handshake: such a peer gets nothing in and nothing out.
"""

import os
import select
from functools import partial
from typing import Any, NamedTuple

import zmq
import zmq.backend

from cluster.codec import MAX_FRAME_BYTES

LOOPBACK = "127.0.0.1"
POLLIN = int(zmq.POLLIN)
NOBLOCK = int(zmq.NOBLOCK)
_Bare: Any = zmq.backend.Socket
"""pyzmq's sockets without their outer layer, which costs several microseconds a call."""


class Keys(NamedTuple):
    """The run's CURVE key pair, both halves kept within the run."""

    public: bytes
    secret: bytes


def new_keys() -> Keys:
    """Make a key pair for one run."""
    return Keys(*zmq.curve_keypair())


class Inbox:
    """A socket that receives frames from many."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", keys: Keys, ip: str = LOOPBACK) -> None:
        self._socket = context.socket(zmq.PULL)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        self._socket.curve_server = True
        self._socket.curve_publickey, self._socket.curve_secretkey = keys
        port = self._socket.bind_to_random_port(f"tcp://{ip}")
        self.address = f"tcp://{ip}:{port}"
        self.descriptor = int(self._socket.getsockopt(zmq.FD))
        self._events = partial(_Bare.get, self._socket, int(zmq.EVENTS))

    def receive(self) -> bytes | None:
        """The next frame, None if there is none now."""
        return self._socket.recv(zmq.NOBLOCK) if self.ready() else None

    def ready(self) -> bool:
        """Whether a frame waits. Must be asked before each wait: the descriptor tells changes only."""
        return bool(self._events() & POLLIN)

    def close(self) -> None:
        self._socket.close()


class Outbox:
    """A socket that sends frames to one inbox; what can't be sent is dropped, as a network would."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", keys: Keys, address: str) -> None:
        own = new_keys()
        self._socket = context.socket(zmq.PUSH)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.curve_serverkey = keys.public
        self._socket.curve_publickey, self._socket.curve_secretkey = own
        self._socket.connect(address)
        self._send = partial(_Bare.send, self._socket)

    def send(self, frame: bytes) -> bool:
        """Hand a frame over; False if there is no room."""
        try:
            self._send(frame, NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self, linger_ms: int = 0) -> None:
        self._socket.close(linger=linger_ms)


class Waker:
    """Lets another thread end a loop's wait."""

    def __init__(self) -> None:
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def wake(self) -> None:
        os.eventfd_write(self.descriptor, 1)

    def wait(self, inbox: Inbox, timeout_s: float | None) -> None:
        """Sleep until a frame comes, somebody wakes, or the time is over.

        `select` counts microseconds; poll and epoll would round up to milliseconds.
        """
        if inbox.ready():
            return
        readable, _, _ = select.select([inbox.descriptor, self.descriptor], [], [], timeout_s)
        if self.descriptor in readable:
            os.eventfd_read(self.descriptor)

    def close(self) -> None:
        os.close(self.descriptor)
