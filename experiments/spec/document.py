"""YAML text to a tree whose every value and key knows its file and line.

The values are those of YAML 1.2's core schema: `on`, `yes`, `1:30` and `010` are texts here, and a field that wants a
truth, a time or a number says so. Keys that stand twice, and nesting, aliases or sizes beyond the limits, are problems.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from experiments.spec.problem import InvalidFile, Problem, path_text

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_VALUES = 200_000  # with each alias counted as often as it is used
TOO_DEEP = f"values are nested more than {MAX_DEPTH} deep, aliases unfolded"
Scalar: TypeAlias = str | int | float | bool | None
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d{0,18})")
_FLOAT = re.compile(r"[-+]?(?:\d{1,18}\.\d{0,40}|\.\d{1,40}|\d{1,18})(?:[eE][-+]?\d{1,3})?")
_OCTAL = re.compile(r"[-+]?0\d+")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class Mark(NamedTuple):
    """Where something stands; line 0 is the file as a whole."""

    file: str
    line: int


@dataclass(slots=True)
class Tree:
    """A value: a scalar, a list or a mapping of trees."""

    mark: Mark
    value: "Scalar | list[Tree] | dict[str, Tree]"
    keys: dict[str, Mark] = field(default_factory=dict)  # where the keys of a mapping stand

    def plain(self) -> Any:
        """The value without its marks."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value

    def mark_of(self, path: tuple[str | int, ...]) -> Mark:
        """Where a path stands; where it leads nowhere, the nearest place on the way."""
        tree, mark = self, self.mark
        for part in path:
            value = tree.value
            if isinstance(value, dict) and isinstance(part, str) and part in value:
                mark, tree = tree.keys.get(part, value[part].mark), value[part]
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                tree = value[part]
                mark = tree.mark
            else:
                break
        return mark

    def problem(self, path: Iterable[str | int], message: str) -> Problem:
        """What is wrong at a path, with the line where it stands."""
        way = tuple(path)
        mark = self.mark_of(way)
        return Problem(mark.file, mark.line, path_text(way), message)


def read_tree(path: Path) -> Tree:
    """The tree of a YAML file, which must hold one mapping. Raises InvalidFile."""
    return parse(_text(path), str(path))


def parse(text: str, file: str) -> Tree:
    """The tree of a text. Raises InvalidFile with every duplicate key, or with the place where it is no YAML."""
    reader = _Reader(file)
    try:
        tree = reader.read(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        message = f"this is no YAML: {error.problem or error.context or 'it breaks off'}"
        raise InvalidFile([Problem(file, line, reader.path(), message)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidFile(
            [Problem(file, line, "", f"the sign {chr(error.character)!a} can't stand in YAML")]
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidFile([Problem(file, 0, "", f"this is no YAML: {reason}")]) from error
    if tree is None:
        raise InvalidFile([Problem(file, 0, "", "the file is empty; `splitbrain new NAME` writes one to start from")])
    if not isinstance(tree.value, dict):
        reader.problems.append(
            Problem(file, tree.mark.line, "", "the file must be a mapping: name, cluster, system, ...")
        )
    if reader.problems:
        raise InvalidFile(reader.problems)
    return tree


def tree_of(value: Any, file: str, depth: int = 0) -> Tree:
    """A Python value of mappings, lists and scalars as a tree without lines. Raises InvalidFile for other types."""
    mark = Mark(file, 0)
    if depth > MAX_DEPTH:
        raise InvalidFile([Problem(file, 0, "", TOO_DEEP)])
    if isinstance(value, Mapping):
        inner = {str(key): tree_of(item, file, depth + 1) for key, item in value.items()}
        return Tree(mark, inner, dict.fromkeys(inner, mark))
    if isinstance(value, list | tuple):
        return Tree(mark, [tree_of(item, file, depth + 1) for item in value])
    if value is None or isinstance(value, str | int | float | bool):
        return Tree(mark, value)
    raise InvalidFile([Problem(file, 0, "", f"a {type(value).__name__} can't stand in an experiment")])


def scalar(text: str) -> Scalar:
    """What a plain word means: a number, a truth, nothing, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and not _OCTAL.fullmatch(text):
        return float(text)
    return text


def _text(path: Path) -> str:
    """The file's text. Raises InvalidFile if it can't be one."""
    file = str(path)
    try:
        if path.is_dir():
            raise InvalidFile([Problem(file, 0, "", "this is a folder; name an experiment file in it")])
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InvalidFile([Problem(file, 0, "", f"the file has {size:,} bytes; {MAX_BYTES:,} are allowed")])
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidFile([Problem(file, 0, "", f"the file can't be read: {reason}")]) from error
    if len(data) > MAX_BYTES:
        raise InvalidFile([Problem(file, 0, "", f"there are more than the {MAX_BYTES:,} bytes that are allowed")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"this is no text in UTF-8: byte {data[error.start]:#04x} at offset {error.start}"
        raise InvalidFile([Problem(file, line, "", message)]) from error


class _Anchored(NamedTuple):
    """What an alias stands for."""

    tree: Tree
    values: int
    depth: int  # 0 for a scalar


@dataclass(slots=True)
class _Open:
    """A collection whose end is still to come."""

    tree: Tree
    anchor: str | None
    before: int  # values ahead of it
    key: str | None = None  # of a mapping: the key that waits for its value
    depth: int = 1  # of what it holds, aliases unfolded, itself included


class _Reader:
    """Builds a tree from the parser's events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values = 0
        self.anchors: dict[str, _Anchored] = {}
        self.open: list[_Open] = []
        self.root: Tree | None = None

    def read(self, events: Iterator[Any]) -> Tree | None:
        """The first document's tree; None without one."""
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    if self.root is not None:
                        self._refuse(event, "there is a second document behind ---; a file holds one experiment")
                case yaml.AliasEvent():
                    self._take(self._alias(event), event)
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._start(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end(event)
        return self.root

    def path(self) -> str:
        """Where in the file the reader is."""
        return path_text(self._way())

    def _way(self) -> Iterator[str | int]:
        for collection in self.open:
            value = collection.tree.value
            if isinstance(value, list):
                yield len(value)
            elif collection.key is not None:
                yield collection.key

    def _mark(self, event: Any) -> Mark:
        return Mark(self.file, event.start_mark.line + 1)

    def _count(self, event: Any, values: int = 1) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            self._refuse(event, f"the file holds more than {MAX_VALUES:,} values, aliases unfolded")

    def _refuse(self, event: Any, message: str) -> None:
        raise InvalidFile([*self.problems, Problem(self.file, self._mark(event).line, self.path(), message)])

    def _scalar(self, event: Any) -> None:
        plain = event.implicit[0]
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._refuse(event, f"the tag {event.tag!r} means nothing here; leave it out")
        tree = Tree(self._mark(event), scalar(event.value) if plain else event.value)
        self._count(event)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(tree, 1, 0)
        if self._is_key():
            self._new_key(event.value, event)
        else:
            self._take(tree, event)

    def _is_key(self) -> bool:
        """Whether the next scalar is a key of the innermost mapping."""
        return bool(self.open) and isinstance(self.open[-1].tree.value, dict) and self.open[-1].key is None

    def _new_key(self, key: str, event: Any) -> None:
        mapping, mark = self.open[-1].tree, self._mark(event)
        self.open[-1].key = key
        if key == "<<":
            self._refuse(event, "merge keys (<<) are not read; `extends:` and `variants:` merge")
        if key in mapping.keys:
            first = mapping.keys[key].line
            message = f"the key {key!r} stands here twice, first in line {first}; YAML would drop that one silently"
            self.problems.append(Problem(self.file, mark.line, self.path(), message))
        mapping.keys[key] = mark

    def _alias(self, event: Any) -> Tree:
        found = self.anchors.get(event.anchor)
        if found is None:
            inside = any(collection.anchor == event.anchor for collection in self.open)
            there = "is this very value, which can't hold itself" if inside else "is nowhere above"
            self._refuse(event, f"the anchor &{event.anchor} {there}")
        assert found is not None
        self._count(event, found.values)
        self._deepen(found.depth, event)
        return found.tree

    def _deepen(self, inside: int, event: Any) -> None:
        """Take notice that a value so deep stands in the innermost collection."""
        if len(self.open) + inside > MAX_DEPTH:
            self._refuse(event, TOO_DEEP)
        if self.open:
            self.open[-1].depth = max(self.open[-1].depth, inside + 1)

    def _start(self, event: Any) -> None:
        self._count(event)
        self._deepen(1, event)
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._refuse(event, f"the tag {event.tag!r} means nothing here; leave it out")
        if self._is_key():
            self._refuse(event, "a key must be a word")
        mapping = isinstance(event, yaml.MappingStartEvent)
        tree = Tree(self._mark(event), {} if mapping else [])
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.open.append(_Open(tree, event.anchor, self.values - 1))

    def _end(self, event: Any) -> None:
        ended = self.open.pop()
        if ended.anchor:
            self.anchors[ended.anchor] = _Anchored(ended.tree, self.values - ended.before, ended.depth)
        if self.open:
            self.open[-1].depth = max(self.open[-1].depth, ended.depth + 1)
        self._take(ended.tree, event)

    def _take(self, tree: Tree, event: Any) -> None:
        """Put a value where it belongs."""
        if not self.open:
            self.root = tree
            return
        holder = self.open[-1].tree.value
        if isinstance(holder, list):
            holder.append(tree)
            return
        assert isinstance(holder, dict)
        key, self.open[-1].key = self.open[-1].key, None
        if key is None:
            self._refuse(event, "a key must be a word")
        assert key is not None
        holder[key] = tree
