"""A fault of the user's own, from a file outside the tree: `fault: path/to/file.py:ClassName`.

Only its place and its settings travel to where the controller runs; the class is loaded there.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from chaos.fault import Fault, Injected, Resolve
from cluster.control import Control


class NoSuchFault(ValueError):
    """A place that holds no fault. Says what is wrong with it."""


def load(place: str) -> type[Fault]:
    """The class at `path/to/file.py:ClassName`. Raises NoSuchFault."""
    path_text, _, name = place.rpartition(":")
    path = Path(path_text).resolve()
    if not path_text.endswith(".py") or not name.isidentifier():
        raise NoSuchFault(f"{place!r} is no place; write path/to/file.py:ClassName")
    if not path.is_file():
        raise NoSuchFault(f"there is no file {path}")
    module_name = f"user_fault_{path.stem}"
    module = sys.modules.get(module_name)
    if module is None or module.__file__ != str(path):
        spec = spec_from_file_location(module_name, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise NoSuchFault(f"{path} can't be loaded: {type(error).__name__}: {error}") from error
    kind = getattr(module, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Fault)):
        raise NoSuchFault(f"{path} has no class {name} that is a chaos.fault.Fault")
    return kind


class UserFault(Fault, frozen=True):
    """Stands for a fault in a file of the user's."""

    place: str
    settings: dict[str, Any] = {}

    @property
    def loaded(self) -> Fault:
        """The fault itself. Raises NoSuchFault, msgspec.ValidationError for settings that it doesn't have."""
        return msgspec.convert(self.settings, load(self.place))

    def inject(self, control: Control, resolve: Resolve, rng: Random) -> Injected:
        """See `Fault.inject`."""
        return self.loaded.inject(control, resolve, rng)
