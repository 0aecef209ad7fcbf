"""PySyncObj beside our Raft: three processes on this machine, writes to a dictionary, driven from within the leader.

A client inside the leader's process is how PySyncObj is meant to be used, and saves it the client's two hops that ours
makes. Settings: its defaults, or what made it fastest here, with its journal in a file, which it does not sync.
"""

import multiprocessing
import socket
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

NODES = 3
WARM_UP_S = 1.0
BEST: dict[str, Any] = {
    "autoTickPeriod": 0.0005,  # 0.05 by default: a lone commit waits for ticks
    "appendEntriesPeriod": 0.02,
    "appendEntriesUseBatch": False,  # "improve single request speed", its documentation says
}
BEST_PIPELINED: dict[str, Any] = {**BEST, "appendEntriesUseBatch": True, "appendEntriesBatchSizeBytes": 2**18}


def commit_p50_ms(settings: dict[str, Any], *, seconds: float) -> float:
    """The median time of a lone write, from the call to its callback."""
    return _measure(settings, seconds=seconds, window=1)[1]


def commits_s(settings: dict[str, Any], *, seconds: float, window: int) -> float:
    """Commits a second with so many writes in flight."""
    return _measure(settings, seconds=seconds, window=window)[0]


def _measure(settings: dict[str, Any], *, seconds: float, window: int) -> tuple[float, float]:
    spawn = multiprocessing.get_context("spawn")
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(NODES)]
    ours, theirs = spawn.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        peers = []
        for number, own in enumerate(addresses):
            journal = {"journalFile": str(Path(folder) / str(number))}
            others = [address for address in addresses if address != own]
            arguments = (own, others, {**settings, **journal}, theirs, (seconds, window))
            peers.append(spawn.Process(target=_node, args=arguments, daemon=True))
        for peer in peers:
            peer.start()
        result: tuple[float, float] = ours.recv() if ours.poll(60 + seconds) else (float("nan"), float("nan"))
        for peer in peers:
            peer.kill()
            peer.join()
    return result


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


def _node(own: str, others: list[str], settings: dict[str, Any], there: Connection, load: tuple[float, int]) -> None:
    """One process: whichever is elected first drives the load and reports."""
    from pysyncobj import SyncObj, SyncObjConf
    from pysyncobj.batteries import ReplDict

    words = ReplDict()
    node = SyncObj(own, others, conf=SyncObjConf(**settings), consumers=[words])
    while not node._isLeader():
        time.sleep(0.05)
    there.send(_drive(words, *load))


def _drive(words: Any, seconds: float, window: int) -> tuple[float, float]:
    """Keep writes in flight; gives (commits a second, median milliseconds of one)."""
    times_ms: list[float] = []
    begin_s = time.perf_counter() + WARM_UP_S
    end_s = begin_s + seconds

    def write(number: int) -> None:
        asked_s = time.perf_counter()

        def done(_: Any, error: Any) -> None:
            now_s = time.perf_counter()
            if begin_s <= asked_s and now_s < end_s and not error:
                times_ms.append((now_s - asked_s) * 1000)
            if now_s < end_s:
                write(number + 1)

        words.set(number % 1024, number, callback=done)

    for number in range(window):
        write(number)
    time.sleep(max(0.0, end_s - time.perf_counter()) + 0.5)
    return len(times_ms) / seconds, median(times_ms) if times_ms else float("nan")
