"""A model of the user's own: `path/to/file.py:ClassName`."""

import importlib.util
import sys
from pathlib import Path

from experiments.checkers.linearizable.models.base import Model, UnusableModel


def load_model(named: str) -> Model:
    """Load a class out of a file and make a model of it.

    The class has `functions`, `initial` and `step` as `Model` documents them; it may but need not inherit from Model,
    whose other methods are then added.

    Raises: UnusableModel.
    """
    path, _, name = named.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise UnusableModel(f"{named}: there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"own_model_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise UnusableModel(f"{named}: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises is the user's to read
        raise UnusableModel(f"{named}: {path} can't be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, type):
        there = [
            key for key, value in vars(module).items() if isinstance(value, type) and value.__module__ == spec.name
        ]
        raise UnusableModel(f"{named}: {path} has no class {name}; it has {', '.join(there) or 'none'}")
    return _completed(found, named)


def _completed(found: type, named: str) -> Model:
    missing = [part for part in ("functions", "initial", "step") if not hasattr(found, part)]
    if missing and not issubclass(found, Model):
        raise UnusableModel(f"{named}: the class has no {', '.join(missing)}")
    kind = found if issubclass(found, Model) else type(found.__name__, (found, Model), {})
    try:
        model = kind()
    except Exception as error:
        raise UnusableModel(f"{named}: it can't be made without arguments: {error}") from error
    if not model.functions or not callable(model.step):
        raise UnusableModel(f"{named}: `functions` must name what it understands, and `step` be a method")
    assert isinstance(model, Model)
    return model
