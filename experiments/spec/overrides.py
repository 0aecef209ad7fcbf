"""Changes laid over a file's tree: dotted paths from the command line, variants, and whole files.

Mappings merge, lists and scalars replace, and a choice (`system`) is replaced whole when its name changes.
"""

from collections.abc import Iterable
from typing import Any

from experiments.spec.document import MAX_DEPTH, Mark, Tree, parse
from experiments.spec.problem import InvalidFile, Problem

CHOICES = ("system",)  # keys whose mapping names one thing
COMMAND_LINE = "--set"


def merged(base: Tree, over: Tree) -> Tree:
    """A tree with another laid over it; neither is changed."""
    return _merged(base, over, choice=False)


def _merged(base: Tree, over: Tree, *, choice: bool) -> Tree:
    if isinstance(base.value, list) and isinstance(over.value, dict) and _places(base.value, over.value):
        items = list(base.value)
        for place, tree in over.value.items():
            items[int(place)] = _merged(items[int(place)], tree, choice=False)
        return Tree(base.mark, items)
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    if choice and over.value and not set(over.value) & set(base.value):
        return over
    value, keys = dict(base.value), dict(base.keys)
    for key, tree in over.value.items():
        value[key] = _merged(value[key], tree, choice=key in CHOICES) if key in value else tree
        keys[key] = over.keys.get(key, tree.mark)
    return Tree(base.mark, value, keys)


def _places(items: list[Tree], over: dict[str, Tree]) -> bool:
    """Whether all keys are places in a list, as in chaos.0.for."""
    return bool(over) and all(key.isdecimal() and int(key) < len(items) for key in over)


def without(tree: Tree, names: Iterable[str]) -> Tree:
    """A mapping without some of its keys."""
    assert isinstance(tree.value, dict)
    gone = set(names)
    value = {key: inner for key, inner in tree.value.items() if key not in gone}
    return Tree(tree.mark, value, {key: mark for key, mark in tree.keys.items() if key in value})


def unfolded_paths(tree: Tree) -> Tree:
    """A mapping whose keys may be dotted paths (`system.raft.pre_vote`) as one of nested mappings."""
    assert isinstance(tree.value, dict)
    whole = Tree(tree.mark, {})
    for key, inner in tree.value.items():
        whole = merged(whole, at_path(key, inner, tree.keys.get(key, inner.mark)))
    return whole


def is_path(path: str) -> bool:
    """Whether a text is keys joined by dots, no more of them than values may be nested."""
    parts = path.split(".")
    return all(parts) and len(parts) <= MAX_DEPTH


def at_path(path: str, value: Tree, mark: Mark) -> Tree:
    """A tree that holds nothing but this value at a dotted path."""
    for part in reversed(path.split(".")):
        value = Tree(mark, {part: value}, {part: mark})
    return value


def assigned(path: str, text: str) -> Tree:
    """What `--set path=text` says, as a tree. Raises InvalidFile if the text is no YAML value."""
    where = f"{COMMAND_LINE} {path}={text}"
    if not is_path(path):
        raise InvalidFile([Problem(where, 0, path, "a path is keys joined by dots, such as system.raft.heartbeat")])
    if "\n" in text:
        raise InvalidFile([Problem(where, 0, path, "write the value in one line")])
    try:
        value = parse(f"value: {text}", where).value
    except InvalidFile as error:
        raise InvalidFile(Problem(where, 0, path, problem.message) for problem in error.problems) from error
    assert isinstance(value, dict)
    mark = Mark(where, 0)
    return at_path(path, _marked(value["value"], mark), mark)


def _marked(tree: Tree, mark: Mark) -> Tree:
    """The same tree, standing elsewhere."""
    value: Any = tree.value
    if isinstance(value, dict):
        value = {key: _marked(inner, mark) for key, inner in value.items()}
        return Tree(mark, value, dict.fromkeys(value, mark))
    return Tree(mark, [_marked(inner, mark) for inner in value] if isinstance(value, list) else value)
