"""Read an experiment file: tree, extended files, overrides, variants, validation. All that is wrong is told at once."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from experiments.spec import overrides
from experiments.spec.checks import check_file
from experiments.spec.document import Tree, read_tree
from experiments.spec.messages import message_of, path_of
from experiments.spec.models import ExperimentFile, file_model
from experiments.spec.oddities import oddities
from experiments.spec.points import places, variant_names
from experiments.spec.problem import InvalidFile, Problem

MAX_EXTENDED = 8  # files on top of one another
MAX_RUNS = 100_000
MAX_PROBLEMS = 1_000  # told of one file


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the file's experiment is run."""

    variant: str | None
    matrix: dict[str, Any]  # dotted path -> value as written
    params: dict[str, Any]  # all that is set apart from the file's base
    file: Any  # the ExperimentFile with everything laid over it


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A valid experiment file."""

    path: Path
    points: tuple[Point, ...]
    warnings: tuple[Problem, ...] = ()  # what is legal but odd


def load_spec(path: Path, sets: Mapping[str, str] | None = None) -> Spec:
    """Read and validate a file.

    Args:
        sets: dotted path -> value as the file would write it, laid over the file.

    Raises: InvalidFile with all that is wrong, line by line.
    """
    return spec_of(read_extended(path), path, sets or {})


def spec_of(tree: Tree, path: Path, sets: Mapping[str, str]) -> Spec:
    """Validate a tree that stands for a file. Raises InvalidFile."""
    for where, text in sets.items():
        tree = overrides.merged(tree, overrides.assigned(where, text))
    variants = variant_names(tree)
    points: list[Point] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for place in places(tree):
        file, found = validate(place.tree, variants)
        problems += found
        if file is not None:
            params = dict(sets) | place.params
            points.append(Point(variant=place.variant, matrix=place.matrix, params=params, file=file))
            warnings += [place.tree.problem(odd, message) for odd, message in oddities(file)]
        elif len(problems) > MAX_PROBLEMS:
            break  # the same few mistakes in every place of a matrix
    if not problems:
        problems += _too_many(tree, points)
    if len(problems) >= MAX_PROBLEMS:
        problems.append(tree.problem((), f"there are more than {MAX_PROBLEMS:,} mistakes; here are the first ones"))
    if problems:
        raise InvalidFile(problems)
    return Spec(path=path, points=tuple(points), warnings=tuple(dict.fromkeys(warnings)))


def validate(tree: Tree, variants: tuple[str, ...]) -> tuple[ExperimentFile | None, list[Problem]]:
    """The file that a tree stands for, and what is wrong with it."""
    try:
        file = file_model().model_validate(tree.plain())
    except ValidationError as error:
        found = ((path_of(one), message_of(one, file_model())) for one in error.errors(include_url=False))
        return None, [tree.problem(path, message) for path, message in islice(found, MAX_PROBLEMS)]
    wrong = islice(check_file(file, variants), MAX_PROBLEMS)
    problems = [tree.problem(path, message) for path, message in wrong]
    return (None if problems else file), problems


def read_extended(path: Path, above: tuple[Path, ...] = ()) -> Tree:
    """A file's tree laid over that of the file that it extends, if it does. Raises InvalidFile."""
    tree = read_tree(path)
    assert isinstance(tree.value, dict)
    extends = tree.value.get("extends")
    if extends is None:
        return tree
    chain = (*above, path.resolve())
    if not isinstance(extends.value, str):
        raise InvalidFile([tree.problem(("extends",), "write the file that this one builds on: extends: other.yaml")])
    base = path.parent / extends.value
    try:
        there, resolved = base.is_file(), base.resolve()
    except (OSError, ValueError, RuntimeError):  # a name too long, of signs that no name has, or links in a circle
        there, resolved = False, base
    if resolved in chain or len(chain) >= MAX_EXTENDED:
        way = " -> ".join(file.name for file in (*chain, base))
        raise InvalidFile([tree.problem(("extends",), f"files extend one another without an end: {way}")])
    if not there:
        raise InvalidFile([tree.problem(("extends",), f"there is no file {str(base)!r}")])
    return overrides.merged(read_extended(base, chain), overrides.without(tree, ("extends",)))


def _too_many(tree: Tree, points: list[Point]) -> list[Problem]:
    runs = sum(max(len(point.file.seed), point.file.repeat) for point in points)
    if runs <= MAX_RUNS:
        return []
    return [tree.problem(("repeat",), f"that makes {runs:,} runs; {MAX_RUNS:,} are allowed")]
