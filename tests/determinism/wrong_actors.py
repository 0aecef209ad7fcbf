"""Actors whose runs can't be repeated, each for another reason: what `--twice` must catch and name.

As a program it runs one of them on the simulator and writes its trace: `python wrong_actors.py NAME TRACE`.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

from scenario import Script, small_setup

from actors.message import Message, NodeId
from actors.node import Actor
from actors.settings import MS, Settings
from cluster.fabric import ActorSpec
from cluster.sim.fabric import run


class Hello(Message, frozen=True):
    """A greeting."""

    words: str


class Greeter(Actor):
    """Greets the others every 10 ms; a right one."""

    def start(self) -> None:
        self.node.set_timer("greet", 10 * MS)

    def on_greet(self) -> None:
        self.node.set_timer("greet", 10 * MS)
        for peer in self.node.peers:
            self.node.send(peer, Hello("hello"))

    def on_hello(self, _: NodeId, hello: Hello) -> None:
        pass

    handlers: ClassVar = {Hello: on_hello}
    timers: ClassVar = {"greet": on_greet}


class ByHash(Greeter):
    """Greets in the order of a set of texts."""

    def on_hello(self, peer: NodeId, hello: Hello) -> None:
        for word in {"good", "fine", "well", "nice"}:
            if hello.words == "hello":
                self.node.send(peer, Hello(word))  # by hash

    handlers: ClassVar = {Hello: on_hello}


class ByWallClock(Greeter):
    """Waits as long as the machine's clock says, from its third greeting on."""

    def __init__(self, node: Any, settings: Settings) -> None:
        super().__init__(node, settings)
        self.greeted = 0

    def on_greet(self) -> None:
        super().on_greet()
        self.greeted += 1
        if self.greeted == 3:
            self.node.set_timer("greet", time.time_ns() % MS)  # by wall clock

    timers: ClassVar = {"greet": on_greet}


class ByHashValue(Greeter):
    """Saves what a text hashes to."""

    def on_hello(self, peer: NodeId, hello: Hello) -> None:
        if peer == 2:
            self.node.save(bucket=hash(hello.words) % 1000)  # by hash value

    handlers: ClassVar = {Hello: on_hello}


ACTORS = {"right": Greeter, "hash": ByHash, "wall-clock": ByWallClock, "hash-value": ByHashValue}


def main(name: str, trace: str) -> None:
    setup = small_setup([ActorSpec(ACTORS[name], Settings())] * 3, duration_ns=200 * MS)
    with tempfile.TemporaryDirectory() as folder:
        run(setup, Script(), Path(folder), lambda _: None, trace=Path(trace))


if __name__ == "__main__":
    main(*sys.argv[1:])
