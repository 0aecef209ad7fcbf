"""Texts with units: read exactly, written so that they read back, refused with what would be right."""

from fractions import Fraction
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.settings import Settings, Unit
from actors.systems import SYSTEMS
from chaos.faults import FAULTS
from experiments.spec import quantities
from experiments.spec.document import scalar
from experiments.spec.fields import settings_model
from experiments.spec.parts import settings_of
from experiments.spec.written import duration_text, value_text
from experiments.workloads import WORKLOADS

ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
READERS = (
    quantities.duration_ns,
    quantities.duration_range_ns,
    quantities.rate_s,
    quantities.share,
    quantities.size_bytes,
    quantities.bandwidth_bytes_s,
)
NUMBERS = st.tuples(st.integers(0, 10**6), st.integers(0, 999)).map(lambda parts: f"{parts[0]}.{parts[1]:03d}")
KINDS = [*FAULTS.values(), *WORKLOADS.values(), *(kind.settings_type for kind in SYSTEMS.values())]


@given(st.integers(0, quantities.LONGEST_NS))
@example(0)
@example(quantities.LONGEST_NS)
def test_a_time_reads_back_from_how_it_is_written(value_ns: int) -> None:
    assert quantities.duration_ns(duration_text(value_ns)) == value_ns


@given(NUMBERS, st.sampled_from(sorted(quantities.NS)), st.sampled_from(["", " "]))
def test_a_time_is_the_exact_product_of_number_and_unit(number: str, unit: str, between: str) -> None:
    exact = Fraction(number) * quantities.NS[unit]
    if exact <= quantities.LONGEST_NS:
        assert quantities.duration_ns(f"{number}{between}{unit}") == round(exact)
    else:
        with pytest.raises(ValueError, match="longer than a year"):
            quantities.duration_ns(f"{number}{between}{unit}")


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_range_of_times_reads_back(least_ns: int, most_ns: int) -> None:
    text = value_text((least_ns, most_ns), _annotation(Unit.DURATION_RANGE))
    assert quantities.duration_range_ns(text) == (least_ns, most_ns)


@given(st.floats(1e-9, quantities.MAX_RATE))
def test_a_rate_reads_back_to_the_last_bit(value: float) -> None:
    text = value_text(value, _annotation(Unit.RATE))
    if len(text.partition(".")[2]) <= 20:  # 18 digits and /s: what a file may say
        assert quantities.rate_s(text) == value


@given(st.integers(0, 10**12).map(lambda part: part / 10**12))
def test_a_share_reads_back_to_the_last_bit(value: float) -> None:
    assert quantities.share(value_text(value, _annotation(Unit.SHARE))) == value


@given(st.lists(st.integers(0, 100), min_size=1, max_size=3))
def test_a_mix_reads_back(parts: list[int]) -> None:
    whole = sum(parts) or 1
    mix = {f"f{place}": part / whole for place, part in enumerate(parts)}
    written = value_text(mix, _annotation(Unit.MIX))
    shares = dict(pair.split(": ") for pair in written.strip("{}").split(", "))
    assert {name: quantities.share(text) for name, text in shares.items()} == mix


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_written_default_of_every_setting_reads_back_to_the_default(kind: type[Settings]) -> None:
    """What documents, `explain` and the schema show may be copied into a file."""
    model: Any = settings_model(kind)
    schema = model.model_json_schema()["properties"]
    said = {key: rule["default"] for key, rule in schema.items() if isinstance(rule.get("default"), str | bool | int)}
    must_say = {field.name for field in msgspec.structs.fields(kind) if field.required}
    values = said | {key: _something(schema[key]) for key in schema if key.removesuffix("_ns") in must_say}
    values |= {name.removesuffix("_ns"): _something(schema[name.removesuffix("_ns")]) for name in must_say}
    read = settings_of(kind, model.model_validate(values))
    for field in msgspec.structs.fields(kind):
        if not field.required:
            factory = field.default_factory
            default = field.default if factory is msgspec.NODEFAULT else factory()
            assert getattr(read, field.name) == default, field.name


PLAIN = {"integer": 1, "number": 1.5, "string": "word"}


def _something(rule: dict[str, Any]) -> Any:
    """A value for a setting that a file must say."""
    if "examples" in rule:
        return rule["examples"][0]
    if rule.get("type") in PLAIN:
        return PLAIN[rule["type"]]
    return next(filter(None, (_something(one) for one in rule.get("anyOf", []))), None)


@given(ANY, st.sampled_from(READERS))
def test_whatever_stands_there_is_read_or_refused_with_a_sentence(value: Any, read: Any) -> None:
    said = "read"
    try:
        read(value)
    except ValueError as error:
        said = str(error)
    assert 0 < len(said) < 300


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (quantities.duration_ns, 5, "5 is not a time such as 150ms or 2s; it needs a unit: 5s?"),
        (quantities.duration_ns, "5", "it needs a unit"),
        (quantities.duration_ns, "-5s", "-5s is negative; a time can't be"),
        (quantities.duration_ns, "5msec", "there is no unit 'msec' here; did you mean ms"),
        (quantities.duration_ns, "5mins", "did you mean min"),
        (quantities.duration_ns, "5S", "did you mean s"),
        (quantities.duration_ns, "1:30", "write 90s"),
        (quantities.duration_ns, True, "true is not a time"),
        (quantities.duration_ns, None, "nothing is not a time"),
        (quantities.duration_ns, "400d", "longer than a year"),
        (quantities.duration_ns, "٣s", "is not a time"),
        (quantities.duration_range_ns, 5, "write it as 1s..2s"),
        (quantities.duration_range_ns, "1s..", "is not a time"),
        (quantities.rate_s, 200, "did you mean 200/s?"),
        (quantities.rate_s, "-1/s", "negative"),
        (quantities.rate_s, "200/parsec", "write it as 200/s"),
        (quantities.rate_s, "99999999/s", "more than 10,000,000/s"),
        (quantities.share, 0.05, "did you mean 5%?"),
        (quantities.share, "5", "write it as 5%"),
        (quantities.share, "101%", "outside 0%..100%"),
        (quantities.share, "-1%", "outside 0%..100%"),
        (quantities.size_bytes, "4kb", "there is no unit 'kb' here; did you mean kB"),
        (quantities.size_bytes, "-4kB", "negative"),
        (quantities.bandwidth_bytes_s, "0MB/s", "must be above 0"),
        (quantities.bandwidth_bytes_s, "200MB", "write it as 200MB/s"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(read: Any, text: Any, says: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        read(text)
    assert says in str(refused.value)


@pytest.mark.parametrize("mu", ["\u00b5", "\u03bc"])
def test_both_signs_that_look_like_a_micro_are_one(mu: str) -> None:
    assert quantities.duration_ns(f"5{mu}s") == 5_000


@pytest.mark.parametrize(
    ("text", "value"),
    [("4KiB", 4096), ("1.5MB", 1_500_000), ("0B", 0)],
)
def test_sizes(text: str, value: int) -> None:
    assert quantities.size_bytes(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("200MB/s", 2e8), ("1Gbit/s", 125e6), ("8bit/s", 1.0), ("60kB/min", 1000.0)],
)
def test_bandwidths(text: str, value: float) -> None:
    assert quantities.bandwidth_bytes_s(text) == value


@given(st.text(alphabet="0123456789+-.eE_: yYnNoOfF~xX", max_size=8))
def test_a_plain_word_is_a_number_only_if_python_agrees_on_which(text: str) -> None:
    """And never what only YAML 1.1 takes for a number: 010, 1:30, 1_000, 0x1F."""
    value = scalar(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    assert value == type(value)(text)
    assert "_" not in text
    assert not text.lstrip("+-").startswith("0") or "." in text or "e" in text.lower() or int(text) == 0


def _annotation(unit: Unit) -> Any:
    return Annotated[Any, unit]
