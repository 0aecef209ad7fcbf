"""Start Ray on this machine, or join a running cluster; say what is wrong if that can't be."""

import contextlib
import io
import logging
import os
import socket
from collections.abc import Iterator

import ray

from cluster.fabric import FabricError
from cluster.live.socket import LOOPBACK

KNOCK_TIMEOUT_S = 5.0
OBJECT_STORE_BYTES = 100 * 1024 * 1024  # the least that Ray takes is 75 MB; nothing large goes through it


@contextlib.contextmanager
def ray_cluster(address: str | None) -> Iterator[None]:
    """Ray, for the time of the context. One that was running before stays.

    Raises: FabricError if it can't be started or reached.
    """
    if ray.is_initialized():
        yield
        return
    try:
        if address:
            _knock(address)
        _start(address)
    except Exception as error:
        if address:
            raise FabricError(
                f"can't join the Ray cluster at {address}: {last_line(error)}. Look there with `ray status`; "
                "without --address a Ray is started on this machine"
            ) from error
        raise FabricError(
            f"can't start Ray on this machine: {last_line(error)}. Check free memory and that /tmp and /dev/shm "
            "can be written to, or use --fabric sim"
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            ray.shutdown()


def last_line(error: BaseException) -> str:
    """What an error says in the end: Ray's own carry whole tracebacks in their text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__


def _knock(address: str) -> None:
    """Make sure that somebody listens at HOST:PORT: Ray would try for minutes, silently. Raises OSError."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_TIMEOUT_S).close()


def _start(address: str | None) -> None:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    with contextlib.redirect_stdout(io.StringIO()):  # standard output is the command's own
        if address:
            local = address.startswith((LOOPBACK, "localhost"))
            ip = {"_node_ip_address": LOOPBACK} if local else {}
            ray.init(address=address, **quiet, **ip)
            return
        _keep_to_loopback()
        ray.init(
            address="local",
            include_dashboard=False,
            num_cpus=max(1, os.cpu_count() or 1),
            object_store_memory=OBJECT_STORE_BYTES,
            _node_ip_address=LOOPBACK,
            **quiet,
        )


def _keep_to_loopback() -> None:
    """Have every process of a local Ray listen on 127.0.0.1 only.

    Ray replaces a loopback address by the machine's own, and then listens on all interfaces, unless it is told that
    this is no cluster: the switch that it uses on Windows and macOS. The variable reaches the processes that Ray
    starts; this process has read it already when ray was imported.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
