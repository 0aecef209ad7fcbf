"""How one file becomes several experiments: its variants, each in every place of its matrix."""

import math
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from experiments.spec import overrides
from experiments.spec.document import Tree
from experiments.spec.problem import InvalidFile, Problem

FOLDED = ("variants", "matrix")  # keys that say how one file becomes several
FIXED = ("name", "variants", "matrix", "extends", "repeat", "seed", "expect", "claim")  # what is the whole file's
MAX_POINTS = 10_000
VARIANT = re.compile(r"(?=.{1,80}\Z)[A-Za-z](?:[A-Za-z0-9_.]|-(?=[A-Za-z0-9]))*")  # what an expectation can name


class Place(NamedTuple):
    """A tree with a variant and a place in the matrix laid over it."""

    variant: str | None
    matrix: dict[str, Any]  # dotted path -> value as written
    params: dict[str, Any]  # all that is set apart from the file's base
    tree: Tree


def variant_names(tree: Tree) -> tuple[str, ...]:
    """The names of a file's variants, as far as it has any."""
    given = _value(tree, "variants")
    return tuple(given.value) if given is not None and isinstance(given.value, dict) else ()


def places(tree: Tree) -> Iterator[Place]:
    """All places, the variants in their order, the matrix's last key changing fastest.

    Raises: InvalidFile if variants or matrix are not what they should be, or make too many.
    """
    problems: list[Problem] = []
    variants = _variants(tree, problems)
    axes = _matrix(tree, problems)
    count = len(variants) * math.prod(len(values) for _, values in axes)
    if count > MAX_POINTS:
        message = f"variants and matrix make {count:,} combinations; {MAX_POINTS:,} are allowed"
        problems.append(tree.problem(("matrix",), message))
    if problems:
        raise InvalidFile(problems)
    base = overrides.without(tree, FOLDED)
    for variant, over in variants.items():
        whole = base if over is None else overrides.merged(base, over)
        params = dict(_leaves(over)) if over is not None else {}
        for values in product(*(values for _, values in axes)):
            laid, matrix = whole, {}
            for (path, _), value in zip(axes, values, strict=True):
                laid = overrides.merged(laid, overrides.at_path(path, value, value.mark))
                matrix[path] = value.plain()
            yield Place(variant, matrix, params | matrix, laid)


def _variants(tree: Tree, problems: list[Problem]) -> dict[str | None, Tree | None]:
    """Name -> what it sets; {None: None} for a file without variants. Adds what is wrong to `problems`."""
    given = _value(tree, "variants")
    if given is None:
        return {None: None}
    if not isinstance(given.value, dict) or not given.value:
        message = "variants are a mapping: a name, and the values that it sets, such as naive: {system.raft.batch: 1}"
        problems.append(tree.problem(("variants",), message))
        return {None: None}
    found: dict[str | None, Tree | None] = {}
    for name, written in given.value.items():
        over = Tree(written.mark, {}) if written.value is None else written
        problems += _variant_problems(tree, name, over)
        if isinstance(over.value, dict) and all(map(overrides.is_path, over.value)):
            found[name] = overrides.unfolded_paths(over)
    return found


def _variant_problems(tree: Tree, name: str, over: Tree) -> Iterator[Problem]:
    here = ("variants", name)
    if not VARIANT.fullmatch(name):
        message = f"{name!r} is no name for a variant; use letters first, then digits, dots and dashes too, 80 at most"
        yield tree.problem(here, message)
    if not isinstance(over.value, dict):
        yield tree.problem(here, "a variant is a mapping of the values that it sets; {} for none")
        return
    for path in over.value:
        if not overrides.is_path(path):
            yield tree.problem((*here, path), "a path is keys joined by dots: system.raft.batch")
    yield from _fixed(tree, here, over.value)


def _matrix(tree: Tree, problems: list[Problem]) -> list[tuple[str, list[Tree]]]:
    """Dotted paths with their values. Adds what is wrong to `problems`."""
    given = _value(tree, "matrix")
    if given is None:
        return []
    if not isinstance(given.value, dict):
        message = "a matrix is a mapping: a dotted path, and the values that it takes: system.raft.batch: [1, 128]"
        problems.append(tree.problem(("matrix",), message))
        return []
    axes = []
    for path, values in given.value.items():
        if not isinstance(values.value, list) or not values.value:
            problems.append(tree.problem(("matrix", path), "write the values that it takes as a list: [1, 128]"))
        elif not overrides.is_path(path):
            problems.append(tree.problem(("matrix", path), "a path is keys joined by dots: system.raft.batch"))
        else:
            axes.append((path, values.value))
    problems += _fixed(tree, ("matrix",), given.value)
    return axes


def _fixed(tree: Tree, path: tuple[str, ...], keys: dict[str, Tree]) -> Iterator[Problem]:
    for key in keys:
        first = key.partition(".")[0]
        if first in FIXED:
            yield tree.problem((*path, key), f"{first} is the whole file's; it can't be changed here")


def _value(tree: Tree, key: str) -> Tree | None:
    assert isinstance(tree.value, dict)
    return tree.value.get(key)


def _leaves(over: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of what is set, by dotted path."""
    if isinstance(over.value, dict) and over.value:
        for key, inner in over.value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else key)
    elif prefix:
        yield prefix, over.plain()
