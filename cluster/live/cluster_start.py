"""Start Ray on this machine, or join a running cluster; say what is wrong if that can't be."""

import contextlib
import io
import logging
import os
from collections.abc import Iterator

import ray

from cluster.fabric import FabricError
from cluster.live.socket import LOOPBACK

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
        _start(address)
    except Exception as error:
        where = f"join the Ray cluster at {address}" if address else "start Ray on this machine"
        raise FabricError(
            f"can't {where}: {error}. Check `ray status`, free memory and /dev/shm, or use --fabric sim"
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            ray.shutdown()


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
