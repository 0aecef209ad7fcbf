"""The models that `--model` can name. To add one: a class in one of these files, and its line in MODELS."""

from collections.abc import Callable
from difflib import get_close_matches

from experiments.checkers.linearizable.models.base import (
    COMPARE_DIFFERED,
    NOTHING,
    REFUSED,
    UNSEEN,
    Model,
    Refused,
    State,
    UnusableModel,
)
from experiments.checkers.linearizable.models.collections import Counter, FifoQueue, Set, Stack, UnorderedQueue
from experiments.checkers.linearizable.models.key_value import CasRegister, KeyValue, Register, change_of
from experiments.checkers.linearizable.models.locks import FencingLock, Lease, Mutex
from experiments.checkers.linearizable.models.own import load_model
from experiments.checkers.linearizable.models.registers import MultiRegister

__all__ = [
    "COMPARE_DIFFERED",
    "MODELS",
    "NOTHING",
    "REFUSED",
    "UNSEEN",
    "KeyValue",
    "Model",
    "Refused",
    "State",
    "UnusableModel",
    "change_of",
    "model_named",
]

MODELS: dict[str, Callable[[], Model]] = {
    "cas-register": CasRegister,
    "fencing-lock": FencingLock,
    "fifo-queue": FifoQueue,
    "kv": KeyValue,
    "lease": Lease,
    "linearizable-counter": Counter,
    "linearizable-set": Set,
    "multi-register": MultiRegister,
    "mutex": Mutex,
    "register": Register,
    "stack": Stack,
    "unordered-queue": UnorderedQueue,
}


def model_named(name: str) -> Model:
    """The model of a name in MODELS, or of `path/to/file.py:ClassName`. Raises UnusableModel."""
    if name in MODELS:
        return MODELS[name]()
    if ".py:" in name:
        return load_model(name)
    near = get_close_matches(name, MODELS, 1, cutoff=0.4) or sorted(MODELS)
    raise UnusableModel(f"there is no model {name!r}; did you mean {near[0]!r}?")
