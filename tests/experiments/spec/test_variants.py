"""One file becomes several experiments: variants, matrix, --set, files that extend files."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.spec import InvalidFile, Spec, load_spec
from experiments.spec.document import parse, tree_of
from experiments.spec.overrides import assigned, at_path, merged, unfolded_paths
from experiments.spec.points import MAX_POINTS, places

BASE = """\
name: base
cluster: {nodes: 3}
system: {raft: {election_timeout: 150ms..300ms}}
workload: {register: {rate: 10/s, keys: 4}}
duration: 5s
chaos:
  - {at: 1s, crash: {nodes: n1}, for: 1s}
  - {at: 2s, pause: {nodes: n2}}
"""
NAMES = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.integers(0, 5) | st.text("xyz", max_size=2)
MAPPINGS = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=3),
    lambda inner: st.dictionaries(NAMES, SCALARS | inner | st.lists(SCALARS, max_size=3), max_size=3),
    max_leaves=8,
)


def load(tmp_path: Path, text: str, sets: dict[str, str] | None = None) -> Spec:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return load_spec(path, sets)


def messages(tmp_path: Path, text: str, sets: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(InvalidFile) as error:
        load(tmp_path, text, sets)
    return [f"{problem.line}: {problem.path}: {problem.message}" for problem in error.value.problems]


def merged_by_hand(base: Any, over: Any) -> Any:
    """What merging means, for values without lists on the left."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return base | {key: merged_by_hand(base[key], value) if key in base else value for key, value in over.items()}


@given(MAPPINGS, MAPPINGS)
def test_mappings_merge_and_all_else_replaces(base: dict[str, Any], over: dict[str, Any]) -> None:
    left = tree_of(base, "f")
    assert merged(left, tree_of(over, "f")).plain() == merged_by_hand(base, over)
    assert left.plain() == base


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_to_lay_two_over_one_is_to_lay_the_second_over_the_first_and_both_over_it(
    a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]
) -> None:
    """Where a mapping never meets a scalar in between: with a list or a scalar on the way the order matters."""
    shape_ok = merged_by_hand(merged_by_hand(a, b), c) == merged_by_hand(a, merged_by_hand(b, c))
    one, two, three = tree_of(a, "f"), tree_of(b, "f"), tree_of(c, "f")
    assert (merged(merged(one, two), three).plain() == merged(one, merged(two, three)).plain()) == shape_ok


@given(st.lists(NAMES, min_size=1, max_size=5), SCALARS)
def test_a_dotted_path_is_the_nested_mapping(keys: list[str], value: Any) -> None:
    tree = tree_of(value, "f")
    dotted = unfolded_paths(at_path(".".join(keys), tree, tree.mark)).plain()
    for key in keys:
        dotted = dotted[key]
    assert dotted == value


def test_the_latest_place_is_named_for_a_value_that_was_laid_over(tmp_path: Path) -> None:
    text = BASE + "variants:\n  good: {}\n  bad:\n    cluster.nodes: five\n"
    assert messages(tmp_path, text) == ["12: cluster.nodes: 'five' is not a whole number"]


def test_a_step_is_changed_by_its_place_and_a_list_replaces_the_whole_list(tmp_path: Path) -> None:
    text = BASE + "variants: {a: {chaos.1.at: 3s}, b: {chaos: [{at: 4s, pause: {nodes: n3}}]}, c: {chaos: []}}\n"
    files = [point.file for point in load(tmp_path, text).points]
    assert [[step.at for step in file.chaos] for file in files] == [
        [1_000_000_000, 3_000_000_000],
        [4_000_000_000],
        [],
    ]


def test_a_system_is_replaced_when_its_name_changes_and_merged_when_it_does_not(tmp_path: Path) -> None:
    text = (
        BASE
        + "variants: {other: {system: {bully: {}}}, same: {system: {raft: {pre_vote: true}}}, word: {system: bully}}\n"
    )
    other, same, word = (point.file.system for point in load(tmp_path, text).points)
    assert other.raft_ is None
    assert word.raft_ is None
    assert word.bully_ is not None
    assert same.raft_.pre_vote is True
    assert same.raft_.election_timeout_ns == (150_000_000, 300_000_000)


def test_variants_come_in_their_order_and_the_last_axis_of_the_matrix_changes_fastest(tmp_path: Path) -> None:
    text = BASE + "variants: {b: {}, a: {seed: 1}}\n".replace("{seed: 1}", "{duration: 6s}")
    text += "matrix: {cluster.nodes: [3, 5], workload.register.keys: [1, 2, 3]}\n"
    points = load(tmp_path, text).points
    expected = [(variant, nodes, keys) for variant, (nodes, keys) in product("ba", product([3, 5], [1, 2, 3]))]
    assert [(p.variant, *p.matrix.values()) for p in points] == expected
    assert [(p.variant, p.file.cluster.nodes, p.file.workload.register_.keys) for p in points] == expected
    assert points[-1].params == {"duration": "6s", "cluster.nodes": 5, "workload.register.keys": 3}


def test_what_the_command_line_sets_is_laid_over_the_file_and_reads_as_the_file_would(tmp_path: Path) -> None:
    (point,) = load(
        tmp_path, BASE, {"duration": "7s", "chaos.0.for": "2s", "workload.register.mix": "{read: 100%}"}
    ).points
    assert point.file.duration == 7_000_000_000
    assert point.file.chaos[0].for_ == 2_000_000_000
    assert point.file.workload.register_.mix == {"read": 1.0}
    assert point.params == {"duration": "7s", "chaos.0.for": "2s", "workload.register.mix": "{read: 100%}"}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("duration", "5", "0: duration: 5 is not a time such as 150ms or 2s; it needs a unit: 5s?"),
        ("sytem.raft.batch", "5", "0: sytem: unknown key 'sytem'; did you mean system?"),
        ("system.raft.pre_voet", "true", "0: system.raft.pre_voet: unknown key 'pre_voet'; did you mean pre_vote?"),
        ("chaos.7.for", "3s", "0: chaos.7: there is no entry 7; entries count from 0"),
        ("check.7", "linearizable", "0: check: a mapping is not a list; there is no entry 7, entries count from 0"),
        ("a..b", "3s", "0: a..b: a path is keys joined by dots"),
        (".".join("a" * 5000), "3s", "a path is keys joined by dots"),
        ("duration", "[1, 2", "0: duration: this is no YAML"),
        ("duration", "3s\nseed: 5", "0: duration: write the value in one line"),
        ("duration", "\udc80", "0: duration: this is no YAML"),
        ("variants", "{a: {}}", ""),
    ],
)
def test_a_wrong_override_is_refused_as_the_file_would_be(tmp_path: Path, path: str, value: str, says: str) -> None:
    if not says:
        load(tmp_path, BASE, {path: value})
        return
    (message,) = messages(tmp_path, BASE, {path: value})
    assert says in message


def test_a_wrong_override_names_the_option_as_its_file() -> None:
    with pytest.raises(InvalidFile) as error:
        assigned("a", "[")
    assert error.value.problems[0].file == "--set a=["


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("variants: [a, b]\n", "10: variants: variants are a mapping"),
        ("variants: {}\n", "10: variants: variants are a mapping"),
        ("variants: {a: 5}\n", "10: variants.a: a variant is a mapping"),
        ("variants: {a: {name: b}}\n", "10: variants.a.name: name is the whole file's"),
        ("variants:\n  a: {expect: []}\n", "11: variants.a.expect: expect is the whole file's"),
        ("variants: {a: {seed: 2}}\n", "10: variants.a.seed: seed is the whole file's"),
        ("variants: {2pc: {}}\n", "10: variants.2pc: '2pc' is no name for a variant"),
        ("variants: {'a b': {}}\n", "10: variants.a b: 'a b' is no name for a variant"),
        ("variants: {a: {x..y: 1}}\n", "10: variants.a.x..y: a path is keys joined by dots"),
        ("matrix: [1]\n", "10: matrix: a matrix is a mapping"),
        ("matrix: {duration: 5s}\n", "10: matrix.duration: write the values that it takes as a list"),
        ("matrix: {duration: []}\n", "10: matrix.duration: write the values that it takes as a list"),
        ("matrix: {a..b: [1]}\n", "10: matrix.a..b: a path is keys joined by dots"),
        ("matrix: {variants.a: [1]}\n", "10: matrix.variants.a: variants is the whole file's"),
    ],
)
def test_what_is_wrong_with_variants_and_matrix_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with_line_10 = BASE + "check: []\n" + text
    (message,) = messages(tmp_path, with_line_10)
    assert message.startswith(says)


def test_a_matrix_of_a_million_points_is_refused_with_the_figure(tmp_path: Path) -> None:
    times = ", ".join(f"{n}s" for n in range(1, 1001))
    (message,) = messages(tmp_path, BASE + f"matrix: {{duration: [{times}], warm_up: [{times}]}}\n")
    assert f"1,000,000 combinations; {MAX_POINTS:,} are allowed" in message


def test_a_key_of_thousands_of_dots_is_refused(tmp_path: Path) -> None:
    path = ".".join("a" * 50_000)
    for text in (f"matrix:\n  ? {path}\n  : [1]\n", f"variants:\n  v:\n    ? {path}\n    : 1\n"):
        (message,) = messages(tmp_path, BASE + text)
        assert "a path is keys joined by dots" in message
        assert len(message) < 1_200


@given(
    st.dictionaries(st.sampled_from(["one", "two", "three"]), st.just({}), min_size=1),
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
)
def test_places_are_the_product(variants: dict[str, Any], values: list[int]) -> None:
    tree = tree_of({"variants": variants, "matrix": {"x.y": values}}, "f")
    found = [(place.variant, place.tree.plain()) for place in places(tree)]
    assert found == [(name, {"x": {"y": value}}) for name, value in product(variants, values)]


class TestExtends:
    """A file laid over another."""

    def write(self, tmp_path: Path, **files: str) -> None:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)

    def test_the_file_above_wins_and_mappings_merge(self, tmp_path: Path) -> None:
        self.write(tmp_path, base=BASE, middle="extends: base.yaml\nduration: 9s\nname: middle\n")
        (point,) = load(tmp_path, "extends: middle.yaml\nname: top\nworkload: {register: {keys: 1}}\n").points
        assert (point.file.name, point.file.duration) == ("top", 9_000_000_000)
        register = point.file.workload.register_
        assert (register.keys, register.rate) == (1, 10.0)

    def test_a_mistake_is_named_in_the_file_where_it_stands(self, tmp_path: Path) -> None:
        self.write(tmp_path, base=BASE.replace("5s", "5"))
        with pytest.raises(InvalidFile) as error:
            load(tmp_path, "extends: base.yaml\nname: top\nchaos: 5\n")
        places_of = [(Path(one.file).name, one.line, one.path) for one in error.value.problems]
        assert places_of == [("base.yaml", 5, "duration"), ("x.yaml", 3, "chaos")]

    @pytest.mark.parametrize(
        ("written", "says"),
        [
            ("x.yaml", "without an end: x.yaml -> x.yaml"),
            ("circle.yaml", "without an end: x.yaml -> circle.yaml -> x.yaml"),
            ("loop.yaml", "there is no file"),
            ("none.yaml", "there is no file"),
            (".", "there is no file"),
            ('""', "there is no file"),
            ('"a\\0b"', "there is no file"),
            ("a" * 3000, "there is no file"),
            ("[base.yaml]", "write the file that this one builds on"),
        ],
    )
    def test_what_cannot_be_extended(self, tmp_path: Path, written: str, says: str) -> None:
        self.write(tmp_path, circle="extends: x.yaml\n")
        (tmp_path / "loop.yaml").symlink_to("loop.yaml")
        (message,) = messages(tmp_path, f"extends: {written}\n" + BASE)
        assert says in message

    def test_a_chain_has_an_end(self, tmp_path: Path) -> None:
        self.write(tmp_path, **{f"f{n}": f"extends: f{n + 1}.yaml\n" for n in range(20)}, f20=BASE)
        assert "without an end" in messages(tmp_path, "extends: f0.yaml\n")[0]


def test_parse_is_what_the_matrix_reads_too() -> None:
    tree = parse("matrix: {a: [on, 5s, 2]}\n", "f")
    assert [place.matrix["a"] for place in places(tree)] == ["on", "5s", 2]
