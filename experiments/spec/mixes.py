"""Mixes: schedules by name, one YAML file each in chaos/mixes, read as the chaos of any other file is."""

from functools import cache
from pathlib import Path
from typing import Any

import chaos
from experiments.near_words import did_you_mean
from experiments.spec.document import read_tree
from experiments.spec.schedule import mix_model

FOLDER = Path(chaos.__file__).with_name("mixes")


def names() -> list[str]:
    """The mixes that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load(name: str) -> tuple[Any, ...]:
    """The steps of a mix. Raises LookupError if there is none of that name."""
    path = FOLDER / f"{name}.yaml"
    if name not in names():
        raise LookupError(f"there is no mix {name!r}; {did_you_mean(name, names())}")
    return tuple(mix_model().model_validate(read_tree(path).plain()).steps)  # type: ignore[attr-defined]
