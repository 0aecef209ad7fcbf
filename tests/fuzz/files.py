"""Experiment files out of Hypothesis: what the JSON Schema allows, and how such a file is broken at one place."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from experiments.spec.document import scalar
from experiments.spec.schema import json_schema

SCHEMA = json_schema()
MAX_NESTED = 3  # steps inside steps
WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=10)
TIMES = st.tuples(st.integers(0, 20), st.sampled_from(["ms", "s", "us", "min"])).map(lambda part: f"{part[0]}{part[1]}")
TARGETS = st.sampled_from(["leader", "random", "follower", "all", "n1", "n2", "minority", "random minority"])

# What the schema can only call a text, as files that make sense have it.
SENSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "name": WORDS,
    "duration": st.integers(10, 60).map(lambda s: f"{s}s"),
    "warm_up": st.integers(0, 9).map(lambda s: f"{s}s"),
    "cluster": st.one_of(
        st.integers(3, 7).map(lambda nodes: {"nodes": nodes}),
        st.integers(1, 3).map(lambda n: {"regions": {"us-east-1": n, "eu-west-1": 2}, "latency": "aws-2025"}),
    ),
    "check": st.lists(st.sampled_from(["linearizable", "raft-safety", "election-safety"]), max_size=2),
    "expect": st.lists(
        st.sampled_from(["availability >= 5%", "latency_p99_ms <= 2s in 90% of runs", "linearizable is valid"]),
        max_size=3,
    ),
    "seed": st.integers(0, 1000),
    "repeat": st.integers(1, 5),
    "claim": st.just([]),
}


@cache
def _matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))


def of_schema(draw: st.DrawFn, rule: dict[str, Any], depth: int = 0) -> Any:
    """A value that a part of the schema allows; few optional keys, and none far inside."""
    if "$ref" in rule:
        return of_schema(draw, SCHEMA["$defs"][rule["$ref"].rpartition("/")[2]], depth + 1)
    if "enum" in rule or "const" in rule:
        return draw(st.sampled_from(rule.get("enum") or [rule["const"]]))
    for choice in ("anyOf", "oneOf"):
        if choice in rule:
            return of_schema(draw, draw(st.sampled_from(rule[choice])), depth)
    kind = rule.get("type", "integer")
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if kind == "object":
        return _object(draw, rule, depth)
    if kind == "array":
        least = rule.get("minItems", 0)
        count = draw(st.integers(least, max(least, min(rule.get("maxItems", 2), 2 if depth <= MAX_NESTED else 0))))
        return [of_schema(draw, rule.get("items", {}), depth + 1) for _ in range(count)]
    if kind == "string":
        return draw(
            _matching(rule["pattern"]) if "pattern" in rule else st.sampled_from(rule.get("examples", ["a b", "x"]))
        )
    plain = {
        "integer": st.integers(rule.get("minimum", 0), min(rule.get("maximum", 1000), 1000)),
        "number": st.floats(1, 10),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return draw(plain[kind])


def _object(draw: st.DrawFn, rule: dict[str, Any], depth: int) -> dict[str, Any]:
    properties, required = rule.get("properties", {}), rule.get("required", [])
    if not properties:
        values = rule.get("additionalProperties")
        if values is False:
            return {}
        names = draw(st.lists(WORDS, max_size=2, unique=True))
        return {name: of_schema(draw, values if isinstance(values, dict) else {}, depth + 1) for name in names}
    optional = [name for name in properties if name not in required]
    more = (
        draw(st.lists(st.sampled_from(optional), max_size=3, unique=True)) if optional and depth <= MAX_NESTED else []
    )
    return {name: of_schema(draw, properties[name], depth) for name in (*required, *more)}


@st.composite
def allowed(draw: st.DrawFn) -> dict[str, Any]:
    """A file that the schema allows; most of them are refused all the same, for their parts don't go together."""
    properties = {
        name: rule for name, rule in SCHEMA["properties"].items() if name not in ("extends", "variants", "matrix")
    }
    chosen = draw(st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=4))
    keys = dict.fromkeys(["name", "cluster", "system", "workload", "duration", *chosen])
    return {key: of_schema(draw, properties[key]) for key in keys}


FAULTS = st.one_of(
    st.tuples(st.sampled_from(["crash", "pause"]), TARGETS).map(lambda part: {part[0]: {"nodes": part[1]}}),
    TARGETS.map(lambda target: {"partition": {"isolate": target}}),
    st.sampled_from(["random", "regions"]).map(lambda how: {"partition": {"halves": how}}),
    st.tuples(TARGETS, st.integers(0, 100)).map(lambda part: {"loss": {"nodes": part[0], "share": f"{part[1]}%"}}),
    st.tuples(TARGETS, TIMES).map(lambda part: {"delay": {"nodes": part[0], "time": part[1]}}),
)
STEPS = st.tuples(
    st.sampled_from(["at", "every"]), st.integers(1, 30), st.none() | st.integers(1, 9), FAULTS
).map(lambda part: {part[0]: f"{part[1]}s", **({"for": f"{part[2]}s"} if part[2] else {}), **part[3]})  # fmt: skip
WORKLOADS = st.fixed_dictionaries(
    {},
    optional={
        "clients": st.integers(1, 50),
        "rate": st.integers(1, 500).map(lambda rate: f"{rate}/s"),
        "keys": st.integers(1, 50),
        "timeout": st.integers(1, 5).map(lambda s: f"{s}s"),
    },
)


@st.composite
def valid(draw: st.DrawFn) -> dict[str, Any]:
    """A file that is right, with a bit of everything."""
    system = draw(st.sampled_from(["raft", {"raft": {}}, {"raft": None}, {"raft": {"pre_vote": True}}, "bully"]))
    file = {
        "name": draw(WORDS.filter(lambda word: word[0] != "-" and scalar(word) == word)),
        "cluster": draw(SENSIBLE["cluster"]),
        "system": system,
        "workload": {draw(st.sampled_from(["register", "append"])): draw(WORKLOADS)},
        "duration": draw(SENSIBLE["duration"]),
        "chaos": draw(st.lists(STEPS, max_size=4)),
    }
    for key in draw(st.lists(st.sampled_from(["warm_up", "check", "expect", "seed", "repeat"]), unique=True)):
        file[key] = draw(SENSIBLE[key])
    if draw(st.booleans()):
        file["variants"] = {"one": {}, "two": {"workload": {next(iter(file["workload"])): {"clients": 2}}}}
    if draw(st.booleans()):
        file["matrix"] = {"cluster.fsync": ["1ms", "2ms"]}
    return file


class Broken(NamedTuple):
    """A file with one place broken."""

    file: dict[str, Any]
    path: tuple[str | int, ...]  # where
    what: str


WRONG_VALUES = st.sampled_from(
    ["10parsec", "-5s", "-7", -7, 3.5, True, "yes", [["x"]], {"no_such": 1}, "?", "1:30", "no-such-word"]
)


@st.composite
def broken(draw: st.DrawFn) -> Broken:
    """A right file with one key misspelt, one value replaced, one key too many, or one that must be there left out."""
    file = draw(valid())
    places = list(_places(file, ()))
    path = draw(st.sampled_from([place for place in places if place[0] not in ("description", "variants", "matrix")]))
    holder = _at(file, path[:-1])
    how = draw(st.sampled_from(["misspell", "replace", "add"]))
    if how == "replace" or isinstance(path[-1], int):
        value = draw(WRONG_VALUES)
        holder[path[-1]] = value
        return Broken(file, path, f"{value!r} put in")
    if how == "misspell":
        wrong = f"{path[-1]}z"
        holder[wrong] = holder.pop(path[-1])
        return Broken(file, (*path[:-1], wrong), "misspelt")
    holder["zzyzx"] = 1
    return Broken(file, (*path[:-1], "zzyzx"), "added")


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value
