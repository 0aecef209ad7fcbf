"""Start Ray on this machine, or join a running cluster; say what is wrong if that can't be."""

import contextlib
import io
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray

from cluster.fabric import FabricError
from cluster.live.guardian import MARK, dismiss, set_guardian
from cluster.live.socket import LOOPBACK

ROOT = Path(__file__).parents[2]
OUR_PACKAGES = [str(ROOT / name) for name in ("actors", "cluster", "chaos", "experiments")]
"""What travels to a cluster that is joined: its workers then run this code, whatever is installed there."""

KNOCK_TIMEOUT_S = 5.0
LONGEST_TEMPORARY_FOLDER = 25  # characters
OBJECT_STORE_BYTES = 100 * 1024 * 1024  # the least that Ray takes is 75 MB; nothing large goes through it


HERE = "local"  # Ray's own word


@contextlib.contextmanager
def ray_cluster(address: str | None) -> Iterator[None]:
    """Ray, for the time of the context. One that was running before stays.

    Args:
        address: of a running cluster; None, or "local", starts one on this machine.

    Raises: FabricError if it can't be started or reached.
    """
    if ray.is_initialized():
        yield
    elif address and address != HERE:
        with _joined(address):
            yield
    else:
        with _started_here():
            yield


@contextlib.contextmanager
def _joined(address: str) -> Iterator[None]:
    try:
        _knock(address)
        ip = {"_node_ip_address": LOOPBACK} if address.startswith((LOOPBACK, "localhost")) else {}
        _init(address=address, runtime_env={"py_modules": OUR_PACKAGES}, **ip)
    except Exception as error:
        raise FabricError(
            f"can't join the Ray cluster at {address}: {last_line(error)}. Look there with `ray status`; "
            "without --address a Ray is started on this machine"
        ) from error
    try:
        yield
    finally:
        _shut_down()


@contextlib.contextmanager
def _started_here() -> Iterator[None]:
    """A Ray of our own, all of whose processes end with this one, however it ends."""
    mark = secrets.token_hex(4)
    folder = _short_temporary_folder() / f"sb-{mark}"
    guardian = set_guardian(mark, str(folder))
    try:
        with _environment({MARK: mark, **KEEP_TO_LOOPBACK}):
            _init(
                address="local",
                include_dashboard=False,
                num_cpus=max(1, os.cpu_count() or 1),
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address=LOOPBACK,
                _temp_dir=str(folder),
            )
        yield
    except RayNotStarted as error:
        raise FabricError(
            f"can't start Ray on this machine: {last_line(error)}. Check free memory and that "
            f"{tempfile.gettempdir()} and /dev/shm can be written to, or use --fabric sim"
        ) from error
    finally:
        _shut_down()
        dismiss(guardian)


def _short_temporary_folder() -> Path:
    """Ray's Unix sockets lie some 65 characters below its folder, and their paths may have 107."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) <= LONGEST_TEMPORARY_FOLDER else Path("/tmp")


class RayNotStarted(Exception):
    """ray.init failed; says why."""


def _init(**options: Any) -> None:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # standard output is the command's own
            ray.init(logging_level=logging.ERROR, log_to_driver=False, **options)
    except Exception as error:
        raise RayNotStarted(last_line(error)) from error


def _shut_down() -> None:
    with contextlib.suppress(Exception):
        ray.shutdown()


KEEP_TO_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Have every process of a local Ray listen on 127.0.0.1 only.

Ray replaces a loopback address by the machine's own, and then listens on all interfaces, unless it is told that this is
no cluster: the switch that it uses on Windows and macOS. The variable reaches the processes that Ray starts; this
process has read it already when ray was imported, so `_environment` sets what it read as well.
"""


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """These variables for whatever is started meanwhile."""
    constants = ray._private.ray_constants
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    was_cluster, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = was_cluster
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def last_line(error: BaseException) -> str:
    """What an error says in the end: Ray's own carry whole tracebacks in their text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__


def _knock(address: str) -> None:
    """Make sure that somebody listens at HOST:PORT: Ray would try for minutes, silently. Raises OSError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_TIMEOUT_S).close()
