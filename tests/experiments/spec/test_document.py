"""YAML to trees: PyYAML's values where both read a text, and one clear refusal for what is no experiment."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.spec.document import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse, read_tree, tree_of
from experiments.spec.problem import InvalidFile, Problem

WORDS = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
KEYS = st.text(alphabet="abcdefgh_-.", min_size=1, max_size=6)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**18), 10**18), st.floats(-1e15, 1e15, allow_nan=False), WORDS
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)  # fmt: skip
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


def refused(text: str) -> list[Problem]:
    with pytest.raises(InvalidFile) as error:
        parse(text, "f.yaml")
    return list(error.value.problems)


@given(MAPPINGS, st.booleans(), st.booleans())
def test_what_pyyaml_writes_reads_as_pyyaml_reads_it(value: dict[str, Any], flow: bool, wide: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=wide, sort_keys=False)
    assert parse(text, "f.yaml").plain() == yaml.safe_load(text) == value


@given(MAPPINGS)
def test_every_path_knows_its_line(value: dict[str, Any]) -> None:
    """The oracle is PyYAML's composer."""
    text = yaml.safe_dump(value, sort_keys=False)
    tree = parse(text, "f.yaml")
    for path, line in _lines(yaml.compose(text), ()):
        assert tree.mark_of(path).line == line


def _lines(node: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            yield (*path, key.value), key.start_mark.line + 1
            yield from _lines(inner, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for place, inner in enumerate(node.value):
            yield (*path, place), inner.start_mark.line + 1
            yield from _lines(inner, (*path, place))


@given(VALUES)
def test_a_value_of_python_is_a_tree_of_itself(value: Any) -> None:
    assert tree_of(value, "<mapping>").plain() == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"),
        ("1:30", "1:30"), ("010", "010"), ("0x1F", "0x1F"), ("0o17", "0o17"), ("1_000", "1_000"),
        ("2001-12-14", "2001-12-14"), (".inf", ".inf"), (".nan", ".nan"), ("=", "="),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-7", -7), ("1.50", 1.5), ("1e3", 1000.0), (".5", 0.5), ("'5'", "5"), ('"true"', "true"),
        ("99999999999999999999", "99999999999999999999"),
    ],
)  # fmt: skip
def test_words_mean_what_yaml_1_2_says(written: str, value: Any) -> None:
    assert parse(f"x: {written}\n", "f.yaml").plain() == {"x": value}
    assert type(parse(f"x: {written}\n", "f.yaml").plain()["x"]) is type(value)


def test_byte_order_marks_and_the_line_ends_of_other_systems_change_nothing(tmp_path: Path) -> None:
    text = "name: t\ncluster:\n  nodes: 3\n"
    forms = [
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("\n", "\r\n").encode(),
        text.encode() + b"...\n",
    ]
    for number, data in enumerate(forms):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(data)
        assert read_tree(path).plain() == {"name": "t", "cluster": {"nodes": 3}}
        assert read_tree(path).mark_of(("cluster", "nodes")).line == 3


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "'a' stands here twice, first in line 1"),
        ("a:\n  b: 1\n  b: 2\n", 3, "a.b", "twice, first in line 2"),
        ("a:\n- {b: 1}\n- {b: 1, b: 2}\n", 3, "a[1].b", "twice"),
        ("a: 1\n---\nb: 2\n", 2, "", "second document"),
        ("a: !!python/object:os.system {}\n", 1, "a", "means nothing here; leave it out"),
        ("a:\n  b: !mine 5\n", 2, "a.b", "the tag '!mine' means nothing here"),
        ("x: &a {b: 1}\ny:\n  <<: *a\n", 3, "y.<<", "merge keys"),
        ("a: *nobody\n", 1, "a", "&nobody is nowhere above"),
        ("a: &a {b: *a}\n", 1, "a.b", "can't hold itself"),
        ("a: 1\n? [b, c]\n: 2\n", 2, "", "a key must be a word"),
        ("a: 1\n? {b: c}\n: 2\n", 2, "", "a key must be a word"),
        ("- a\n- b\n", 1, "", "must be a mapping"),
        ("just words\n", 1, "", "must be a mapping"),
        ("", 0, "", "splitbrain new NAME"),
        ("# nothing but a comment\n", 0, "", "splitbrain new NAME"),
        ("a: [1, 2\nb: 3\n", 2, "a[2]", "this is no YAML"),
        ("a: 1\n\tb: 2\n", 2, "a", "this is no YAML"),
        ("a: 'open\n", 2, "a", "this is no YAML"),
        ("a: 1\nb: \x00\n", 2, "", "the sign '\\x00' can't stand in YAML"),
        ("%YAML 3.0\n---\na: 1\n", 1, "", "this is no YAML"),
        ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1, None, f"more than {MAX_DEPTH} deep"),
    ],
)  # fmt: skip
def test_what_is_no_experiment_is_refused_with_its_place(text: str, line: int, path: str | None, says: str) -> None:
    (problem,) = refused(text)
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert says in problem.message
    if path is not None:
        assert problem.path == path


def test_every_duplicate_is_told_at_once() -> None:
    assert [problem.line for problem in refused("a: 1\nb: 1\na: 2\nb: 2\na: 3\n")] == [3, 4, 5]


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    """Nine levels of nine: 387 million values in 400 bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    (problem,) = refused("\n".join(lines))
    assert f"{MAX_VALUES:,} values" in problem.message
    assert problem.line == 6


def test_aliases_stacked_on_one_another_count_by_their_whole_depth() -> None:
    """Each line is shallow; unfolded they would be deeper than Python can go."""
    deep = "".join(f"d{n}: &d{n} {'[' * 20}{f'*d{n - 1}' if n else 1}{']' * 20}\n" for n in range(200))
    (problem,) = refused(deep)
    assert problem.line == 2
    assert "deep, aliases unfolded" in problem.message


def test_an_anchor_that_is_given_again_means_the_latest() -> None:
    """And a mapping may not slip into itself under the name of what was there before."""
    assert parse("a: &x 1\nb: &x 2\nc: *x\n", "f.yaml").plain() == {"a": 1, "b": 2, "c": 2}
    (problem,) = refused("? &b k1\n: 1\n? &b k2\n: 2\nb: &b {c: *b}\n")
    assert "can't hold itself" in problem.message


def test_a_python_value_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["value"] = value
    with pytest.raises(InvalidFile, match="nested more than"):
        tree_of(value, "<mapping>")
    with pytest.raises(InvalidFile, match="a set can't stand in an experiment"):
        tree_of({"a": {1, 2}}, "<mapping>")


class TestFiles:
    """What may lie where a file is looked for."""

    def refused(self, path: Path) -> Problem:
        with pytest.raises(InvalidFile) as error:
            read_tree(path)
        (problem,) = error.value.problems
        assert problem.file == str(path)
        return problem

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "this is a folder" in self.refused(tmp_path).message

    def test_nothing(self, tmp_path: Path) -> None:
        assert "No such file" in self.refused(tmp_path / "none.yaml").message

    def test_a_name_that_no_file_can_have(self, tmp_path: Path) -> None:
        assert "can't be read" in self.refused(tmp_path / ("a" * 300)).message
        assert "can't be read" in self.refused(tmp_path / "a\0b").message

    @pytest.mark.parametrize(
        ("data", "line"), [(b"\x89PNG\r\n\x1a\n", 1), (b"a: 1\nb: \xff\n", 2), ("a: 1".encode("utf-16"), 1)]
    )
    def test_bytes_that_are_no_text(self, tmp_path: Path, data: bytes, line: int) -> None:
        path = tmp_path / "binary.yaml"
        path.write_bytes(data)
        problem = self.refused(path)
        assert "no text in UTF-8" in problem.message
        assert problem.line == line

    def test_ten_megabytes(self, tmp_path: Path) -> None:
        path = tmp_path / "big.yaml"
        path.write_bytes(b"# padding\n" * 1_000_000)
        assert f"10,000,000 bytes; {MAX_BYTES:,} are allowed" in self.refused(path).message

    def test_what_never_ends(self) -> None:
        assert "bytes that are allowed" in self.refused(Path("/dev/zero")).message
