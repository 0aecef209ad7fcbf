"""Files of Hypothesis: what is right loads, what is broken is told where, and nothing ever ends in a traceback."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
import yaml
from fuzz.files import SCHEMA, Broken, allowed, broken, valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.plan import decode, encode
from experiments.spec import InvalidFile, Spec, load_spec
from experiments.spec.problem import Problem, path_text
from experiments.unfold import unfold

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
few = settings(max_examples=125, deadline=None, suppress_health_check=QUIET)
many = settings(max_examples=5_000, deadline=None, suppress_health_check=QUIET)


def read(data: bytes) -> Spec | list[Problem]:
    """What becomes of a file: a spec, or its problems. Anything else that is raised is a bug."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        path.write_bytes(data)
        try:
            return load_spec(path)
        except InvalidFile as error:
            found = list(error.problems)
    lines = 1 + max(data.count(end) for end in (b"\n", b"\r", b"\xe2\x80\xa8"))
    assert found
    assert {problem.file for problem in found} == {str(path)}
    assert all(0 <= problem.line <= lines for problem in found)
    assert all(problem.message.isprintable() for problem in found)
    return found


def written(file: dict[str, Any]) -> bytes:
    return yaml.safe_dump(file, sort_keys=False, allow_unicode=True).encode()


def loads_and_unfolds(file: dict[str, Any]) -> None:
    spec = read(written(file))
    assert isinstance(spec, Spec), spec
    assert list(VALIDATOR.iter_errors(file)) == []
    for plan in unfold(spec, fabric="sim"):
        assert encode(decode(encode(plan))) == encode(plan)


def names_the_place(case: Broken) -> None:
    """Some problem stands at the broken place, inside it, or at what holds it, in the line of that place."""
    found = read(written(case.file))
    if isinstance(found, Spec):
        assert case.what.endswith("put in")  # and is right there as well
        return
    place = path_text(case.path)
    holder = path_text(case.path[:-1])
    near = [one for one in found if one.path.startswith(place) or one.path == holder or place.startswith(one.path)]
    assert near, (case.what, place, found)
    assert any(one.line > 0 for one in near), found


def is_loaded_or_refused(file: dict[str, Any]) -> None:
    """What the schema allows may still not go together; then there are reasons, each with its place."""
    VALIDATOR.validate(file)
    found = read(written(file))
    if not isinstance(found, Spec):
        assert all(one.line > 0 for one in found)


def never_a_traceback(case: Broken, flips: list[tuple[int, int]]) -> None:
    data = bytearray(written(case.file))
    for place, byte in flips:
        data[place % len(data)] = byte
    read(bytes(data))


FLIPS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(list(b"\n\t :-{}[]&*!|>'\"%@`#,?\x00\xff0a"))),
    min_size=1,
    max_size=6,
)


@given(valid())
@few
def test_what_is_right_loads_and_its_plans_read_back(file: dict[str, Any]) -> None:
    loads_and_unfolds(file)


@given(broken())
@few
def test_a_file_broken_at_one_place_is_told_that_place(case: Broken) -> None:
    names_the_place(case)


@given(allowed())
@few
def test_what_the_schema_allows_loads_or_is_refused_with_its_place(file: dict[str, Any]) -> None:
    is_loaded_or_refused(file)


@given(broken(), FLIPS)
@few
def test_a_file_of_overwritten_bytes_never_ends_in_a_traceback(case: Broken, flips: list[tuple[int, int]]) -> None:
    never_a_traceback(case, flips)


@pytest.mark.long
@pytest.mark.timeout(7200)
class TestTwentyThousand:
    """The same four, 5,000 files each."""

    @given(valid())
    @many
    def test_what_is_right_loads(self, file: dict[str, Any]) -> None:
        loads_and_unfolds(file)

    @given(broken())
    @many
    def test_a_broken_file_is_told_its_place(self, case: Broken) -> None:
        names_the_place(case)

    @given(allowed())
    @many
    def test_what_the_schema_allows_loads_or_is_refused(self, file: dict[str, Any]) -> None:
        is_loaded_or_refused(file)

    @given(broken(), FLIPS)
    @many
    def test_overwritten_bytes_never_end_in_a_traceback(self, case: Broken, flips: list[tuple[int, int]]) -> None:
        never_a_traceback(case, flips)
