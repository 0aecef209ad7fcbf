"""What the Ray fabric is held against: two processes that pass tokens to and fro over bare pyzmq sockets.

The same PUSH and PULL sockets with CURVE and the same msgspec messages, one a frame, blocking receives; no loop, no
timers, no link model, no journal.
"""

import multiprocessing
import time
from multiprocessing.connection import Connection

import msgspec
import zmq

from benchmarks.load import Token
from cluster.live.socket import Keys, new_keys


def messages_s(tokens: int, seconds: float) -> float:
    """Messages a second that two processes pass between them, with this many tokens in flight."""
    keys = new_keys()
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    peer = spawn.Process(target=_echo, args=(there, keys), daemon=True)
    peer.start()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    inbox, address = _inbox(context, keys)
    here.send(address)
    outbox = _outbox(context, keys, here.recv())
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Token).decode
    for _ in range(tokens):
        outbox.send(encode(Token(0)))
    outbox.send(inbox.recv())  # both ends are up
    passed, began_s = 0, time.perf_counter()
    while (elapsed_s := time.perf_counter() - began_s) < seconds:
        for _ in range(100):
            outbox.send(encode(Token(decode(inbox.recv()).laps + 1)))
        passed += 200  # there and back
    peer.kill()
    peer.join()
    context.destroy(linger=0)
    return passed / elapsed_s


def _echo(there: Connection, keys: Keys) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    inbox, address = _inbox(context, keys)
    outbox = _outbox(context, keys, there.recv())
    there.send(address)
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Token).decode
    while True:
        outbox.send(encode(Token(decode(inbox.recv()).laps + 1)))


def _inbox(context: "zmq.Context[zmq.Socket[bytes]]", keys: Keys) -> "tuple[zmq.Socket[bytes], str]":
    socket = context.socket(zmq.PULL)
    socket.curve_server = True
    socket.curve_publickey, socket.curve_secretkey = keys
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    return socket, f"tcp://127.0.0.1:{port}"


def _outbox(context: "zmq.Context[zmq.Socket[bytes]]", keys: Keys, address: str) -> "zmq.Socket[bytes]":
    socket = context.socket(zmq.PUSH)
    socket.curve_serverkey = keys.public
    socket.curve_publickey, socket.curve_secretkey = new_keys()
    socket.connect(address)
    return socket
