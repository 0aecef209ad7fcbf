"""Where a run comes from: when, of which group, and by which versions, machine and commit."""

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

LIBRARIES = ("splitbrain", "msgspec", "msgpack", "numpy", "duckdb", "pyzmq", "ray")
GIT_TIMEOUT_S = 5


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Stands in `plan.json` beside the plan's own fields."""

    run: str  # the short id
    group: str  # what one command started together
    created_ns: int  # since 1970
    versions: dict[str, str] = {}
    machine: dict[str, str | int] = {}
    commit: str | None = None  # of the code; ends in "-dirty" if the tree was changed


@cache
def versions() -> dict[str, str]:
    """Python's version, and those of the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def machine() -> dict[str, str | int]:
    """What this machine is; its name is left out, since run folders are passed on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "memory_bytes": memory,
    }


@cache
def commit() -> str | None:
    """The git commit of this code, None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
