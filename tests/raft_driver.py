"""A driver in a process of its own, for tests that interrupt or kill it: a Raft under faults that nothing heals.

Usage: raft_driver.py FOLDER SECONDS. Prints `running` when the run is under way, and at its end what the fabric says.
"""

import signal
import sys
from pathlib import Path

import msgspec
from scenario import raft_setup

from actors.protocols.raft import Raft
from actors.settings import MS, SECOND
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from cluster.fabric import Progress, Setup
from cluster.live.fabric import run


def setup(seconds: float) -> Setup:
    """What the driver runs."""
    return raft_setup(Raft, servers=3, duration_ns=int(seconds * SECOND))


def controller(seconds: float) -> Controller:
    """A crash and a partition that last to the end."""
    lines = (("crash", {"nodes": ["n1"]}, 200), ("partition", {"isolate": ["n2"]}, 300))
    steps = tuple(
        Step(name, msgspec.convert(what, FAULTS[name]), at_ms * MS, None, None) for name, what, at_ms in lines
    )
    return Controller(steps, seed=1, duration_ns=int(seconds * SECOND))


def main() -> None:
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told = False

    def watch(progress: Progress) -> None:
        nonlocal told
        if not told and progress.now_ns > 700 * MS:
            told = True
            print("running", flush=True)

    folder.mkdir()
    result = run(setup(seconds), controller(seconds), folder, watch)
    print(f"interrupted={result.interrupted} messages={result.messages}", flush=True)


if __name__ == "__main__":
    main()
