"""A run's folder as bytes, to be sent from the machine where it ran to the store where it belongs."""

import io
import tarfile
from pathlib import Path

from experiments.store.folder import StoreError


def pack(folder: Path) -> bytes:
    """The folder as a compressed archive."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=folder.name)
    return data.getvalue()


def unpack(parcel: bytes, store: Path) -> Path:
    """Put a packed folder into a store; it appears whole or not at all. Returns its path.

    Raises: StoreError if it can't be written.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(parcel), mode="r:gz") as archive:
            name = archive.getnames()[0].split("/")[0]
            hidden = store / f".{name}.parcel"
            archive.extractall(hidden, filter="data")
        path = (store / name).absolute()
        (hidden / name).rename(path)
        hidden.rmdir()
    except OSError as error:
        raise StoreError(f"a run can't be brought into {store}: {error.strerror or error}") from error
    return path
