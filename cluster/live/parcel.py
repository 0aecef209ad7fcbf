"""A value on its way to an actor's process, with the import path that its classes need there.

Ray hands its workers the driver's working folder only; an experiment's own actors may come from anywhere on the
driver's `sys.path`.
"""

import sys
from typing import Any, NamedTuple

from ray import cloudpickle


class Parcel(NamedTuple):
    """What `pack` made, for `unpack` in another process."""

    search_path: tuple[str, ...]
    content: bytes


def pack(value: Any) -> Parcel:
    """Pickle a value; its classes go by name."""
    return Parcel(tuple(sys.path), cloudpickle.dumps(value))


def unpack(parcel: Parcel) -> Any:
    """The value; folders that this process did not search for modules are searched after its own."""
    sys.path.extend(folder for folder in parcel.search_path if folder not in sys.path)
    return cloudpickle.loads(parcel.content)
