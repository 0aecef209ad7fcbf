"""A function over Ray's workers: how sweeps and hunts spread over a laptop's cores or a cluster's."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import ray

from cluster.live.cluster_start import ray_cluster

T = TypeVar("T")
AHEAD = 2  # tasks submitted for each core, so that none waits for us


def map_tasks(
    function: Callable[[T], Any], items: Sequence[T], *, address: str | None
) -> Iterator[tuple[int, Any | Exception]]:
    """Apply a function to each item, in a Ray task each.

    Args:
        address: of a running Ray cluster; None starts one on this machine.

    Yields: (place of the item, its result, or the exception that the task ended with), in the order in which they end.
    Raises: cluster.fabric.FabricError if Ray can't be had.
    """
    with ray_cluster(address):
        task = ray.remote(function).options(num_cpus=1, max_retries=0)
        window = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = iter(enumerate(items))
        going: dict[Any, int] = {}
        try:
            while True:
                while len(going) < window and (following := next(waiting, None)) is not None:
                    place, item = following
                    going[task.remote(item)] = place
                if not going:
                    return
                done, _ = ray.wait(list(going), num_returns=1)
                for reference in done:
                    yield going.pop(reference), _result(reference)
        finally:
            for reference in going:
                ray.cancel(reference, force=True)


def _result(reference: Any) -> Any | Exception:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        return error.cause if isinstance(error.cause, Exception) else error
    except ray.exceptions.RayError as error:
        return error
