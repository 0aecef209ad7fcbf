"""What a host's process is told when it starts."""

import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from cluster.fabric import Setup
from cluster.live.socket import Keys


class Home(NamedTuple):
    """Where the conductor is, and with it the run's folder."""

    ip: str
    ray_node: str
    apart: bool  # whether another Ray node counts as another machine, even with the same address


class HostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of a host needs to know."""

    name: str
    number: int  # of the host, 0.. within the run
    life: int  # how many processes this host had before
    folder: Path  # the run's
    keys: Keys
    home: Home  # where the conductor is
    ip: str | None  # what its sockets bind to; None: its machine's own address


def far_folder(setup: Setup) -> Path:
    """Where a host on another machine than the driver's keeps its disk and journal while the run goes on."""
    return Path(tempfile.gettempdir()) / "splitbrain" / setup.name
