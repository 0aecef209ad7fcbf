"""Read an experiment file: tree, overrides, variants, validation. All that is wrong is told at once."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from experiments.spec import overrides
from experiments.spec.checks import check_file
from experiments.spec.document import Tree, read_tree
from experiments.spec.messages import message_of
from experiments.spec.models import ExperimentFile, file_model
from experiments.spec.problem import InvalidFile, Problem, path_text

FOLDED = ("variants",)  # keys that say how one file becomes several
FIXED = ("name", "variants", "repeat", "seed", "expect")  # what a variant can't change: it is the whole file's


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the file's experiment is run."""

    variant: str | None
    params: dict[str, Any]  # what it sets apart from the file's base: dotted path -> value as written
    file: Any  # the ExperimentFile with everything laid over it


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A valid experiment file."""

    path: Path
    points: tuple[Point, ...]


def load_spec(path: Path, sets: Mapping[str, str] | None = None) -> Spec:
    """Read and validate a file.

    Args:
        sets: dotted path -> value as the file would write it, laid over the file.

    Raises: InvalidFile with all that is wrong, line by line.
    """
    tree = read_tree(path)
    for where, text in (sets or {}).items():
        tree = overrides.merged(tree, overrides.assigned(where, text))
    points: list[Point] = []
    problems: list[Problem] = []
    base = overrides.without(tree, FOLDED)
    variants = _variants(tree, problems)
    for variant, over in variants.items():
        whole = base if over is None else overrides.merged(base, over)
        file, found = validate(whole, tuple(name for name in variants if name is not None))
        problems += found
        if file is not None:
            params = dict(sets or {}) | (dict(_params(over)) if over is not None else {})
            points.append(Point(variant=variant, params=params, file=file))
    if problems:
        raise InvalidFile(problems)
    return Spec(path=path, points=tuple(points))


def validate(tree: Tree, variants: tuple[str, ...]) -> tuple[ExperimentFile | None, list[Problem]]:
    """The file that a tree stands for, and what is wrong with it."""
    try:
        file = file_model().model_validate(tree.plain())
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [_problem(tree, one["loc"], message_of(one, file_model())) for one in found]
    problems = [_problem(tree, path, message) for path, message in check_file(file, variants)]
    return (None if problems else file), problems


def _problem(tree: Tree, path: Iterable[str | int], message: str) -> Problem:
    way = tuple(path)
    mark = tree.mark_of(way)
    return Problem(mark.file, mark.line, path_text(way), message)


def _variants(tree: Tree, problems: list[Problem]) -> dict[str | None, Tree | None]:
    """Name -> what it sets; {None: None} for a file without variants. Adds what is wrong to `problems`."""
    assert isinstance(tree.value, dict)
    given = tree.value.get("variants")
    if given is None:
        return {None: None}
    if not isinstance(given.value, dict) or not given.value:
        message = "variants are a mapping: a name, and the values that it sets, such as naive: {system.raft.batch: 1}"
        problems.append(_problem(tree, ("variants",), message))
        return {None: None}
    found: dict[str | None, Tree | None] = {}
    for name, over in given.value.items():
        if over.value is None:
            over = Tree(over.mark, {})
        if not isinstance(over.value, dict):
            message = "a variant is a mapping of the values that it sets; {} for none"
            problems.append(_problem(tree, ("variants", name), message))
            continue
        found[name] = overrides.unfolded_paths(over)
        for key in over.value:
            if key.partition(".")[0] in FIXED:
                message = f"a variant can't change {key.partition('.')[0]}, which is the whole file's"
                problems.append(_problem(tree, ("variants", name, key), message))
    return found or {None: None}


def _params(over: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of what a variant sets, by dotted path."""
    if isinstance(over.value, dict) and over.value:
        for key, inner in over.value.items():
            yield from _params(inner, f"{prefix}.{key}" if prefix else key)
    elif prefix:
        yield prefix, over.plain()
