"""How long checkers take, how much memory, and how both grow with the history.

The histories are those of real atomic registers: each operation takes effect at a drawn moment of its interval. Each
file is read and judged in a process of its own, whose peak memory is taken as the system tells it.
"""

import heapq
import json
import math
import multiprocessing
import random
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

Progress = Callable[[object], None]
CLIENTS = 50
TIMEOUT_S = 120.0


class Case(NamedTuple):
    """A history that is generated and judged."""

    model: str
    operations: int
    keys: int
    clients: int
    unknown: float  # share of operations that are never answered


class Took(NamedTuple):
    """What it took to read and to judge it."""

    valid: Any
    read_s: float
    judge_s: float
    peak_mb: float
    method: str


REGISTER = [Case("register", size, keys, CLIENTS, 0.0) for keys in (64, 8) for size in (62_500, 250_000, 1_000_000)]
CAS = [Case("cas-register", size, 64, 10, 0.01) for size in (25_000, 50_000, 100_000)]
CAS_CROWDED = Case("cas-register", 100_000, 64, 640, 0.01)  # 10 clients a key
VALUES = 5  # of the compare-and-set registers, which so repeat


def figures(progress: Progress) -> dict[str, float]:
    """The times of reading and judging, the peak memory, and the exponents of growth: 1 is linear."""
    took: dict[Case, Took] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in (*REGISTER, *CAS, CAS_CROWDED):
            path = Path(folder) / "history.jsonl"
            with path.open("w") as file:
                file.writelines(lines(case))
            took[case] = in_a_process(path, case.model)
            progress(told(case, took[case]))
    wide, narrow = took[REGISTER[2]], took[REGISTER[5]]
    quarter, tenth = took[REGISTER[1]], took[CAS[0]]
    return {
        "register_1m_s": wide.judge_s,
        "register_1m_mb": wide.peak_mb,
        "register_1m_read_s": wide.read_s,
        "register_1m_8_keys_s": narrow.judge_s,
        "register_1m_8_keys_mb": narrow.peak_mb,
        "register_growth": exponent(wide.judge_s / quarter.judge_s, 4),
        "cas_100k_s": took[CAS[-1]].judge_s,
        "cas_100k_mb": took[CAS[-1]].peak_mb,
        "cas_100k_crowded_s": took[CAS_CROWDED].judge_s,
        "cas_growth": exponent(took[CAS[-1]].judge_s / tenth.judge_s, 4),
    }


def told(case: Case, took: Took) -> str:
    """One point of the curve."""
    return (
        f"{case.model:>12}  {case.operations:>9,} operations  {case.keys:>2} keys  {case.clients:>3} clients  "
        f"read {took.read_s:6.2f} s  judged {took.judge_s:6.2f} s  {took.peak_mb:5.0f} MB  {took.valid} ({took.method})"
    )


def exponent(ratio: float, size_ratio: float) -> float:
    return math.log(ratio) / math.log(size_ratio)


def in_a_process(path: Path, model: str) -> Took:
    """Read and judge a file in a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_judge, args=(path, model, theirs))
    process.start()
    theirs.close()
    try:
        found: Took = ours.recv()
    finally:
        process.join()
    return found


def _judge(path: Path, model: str, answer: Connection) -> None:
    from experiments.checkers.linearizable import linearizable
    from experiments.formats import read_history

    began = time.perf_counter()
    history = read_history(path).history
    read = time.perf_counter()
    verdict = linearizable(history, model=model, timeout_s=TIMEOUT_S)
    judged = time.perf_counter()
    answer.send(Took(verdict.valid, read - began, judged - read, peak_mb(), verdict.method.partition(" ")[0]))


def peak_mb() -> float:
    """The most memory that this process has had. The kernel's own mark: rusage counts what a parent had before exec."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def lines(case: Case, seed: int = 1) -> Iterator[str]:
    """The history as JSON Lines, in order of call."""
    rng = random.Random(seed)
    acts = sorted(_acts(case, rng))
    state: dict[int, Any] = {}
    told = []
    for _, call, end, client, key, number, lost in acts:
        function = rng.choice(("read", "write") if case.model == "register" else ("read", "write", "cas"))
        found = state.get(key)
        value, outcome = _asked(function, found, number, case, rng)
        if function != "read" and outcome == "ok" and not (lost and rng.random() < 0.5):
            state[key] = value[1] if function == "cas" else value
        fields = f'"client": {client}, "key": "k{key}", "f": "{function}", "value": {json.dumps(value)}, "call": {call}'
        ending = ', "type": "info"' if lost else f', "return": {end}, "type": "{outcome}"'
        told.append((call, f"{{{fields}{ending}}}\n"))
    told.sort()
    return (line for _, line in told)


def _asked(function: str, found: Any, number: int, case: Case, rng: random.Random) -> tuple[Any, str]:
    """The value of an operation that finds this, and how it ends."""
    if function == "read":
        return found, "ok"
    if function == "cas":
        expected = rng.randrange(VALUES)
        return [expected, rng.randrange(VALUES)], "ok" if found == expected else "fail"
    return (number if case.model == "register" else rng.randrange(VALUES)), "ok"


def _acts(case: Case, rng: random.Random) -> Iterator[tuple[int, int, int, int, int, int, bool]]:
    """(moment, call, return, client, key, number, lost) of each operation; who gets no answer goes on as another."""
    free = [(rng.randrange(1000), client) for client in range(case.clients)]
    heapq.heapify(free)
    fresh = case.clients
    for number in range(case.operations):
        call, client = heapq.heappop(free)
        moment = call + rng.randrange(1, 1000)
        end = moment + rng.randrange(1, 1000)
        lost = rng.random() < case.unknown
        yield moment, call, end, client, rng.randrange(case.keys), number, lost
        if lost:
            client, fresh = fresh, fresh + 1
        heapq.heappush(free, (end + rng.randrange(1, 10), client))
