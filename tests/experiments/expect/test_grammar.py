"""The grammar of expectations, against Python's own arithmetic on the same numbers."""

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from experiments import expect
from experiments.expect import MalformedExpectation, parse
from experiments.expect.grammar import MAX_LENGTH, MAX_NESTING, METRIC_UNITS, UNITS
from experiments.metrics import METRICS

MEASURED = {"availability": 0.96, "latency_p50_ms": 12.5, "throughput_ops_s": 1001.0, "ok": 40.0, "bytes_sent": 2048.0}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
OPERATE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
WORDS = st.sampled_from(
    [*MEASURED, *UNITS, "95%", "5ms", "1.5s", "7", "a.", "a:", "in", "of", "runs", "is", "valid", "linearizable",
     "(", ")", *COMPARE, *OPERATE, "[op=read]", "[", "]", "=", ",", " ", "", "-", "é", "\0"]
)  # fmt: skip


class Tried(NamedTuple):
    """An expression as text, and what it comes to: (value, power of time, power of size); None without a meaning."""

    text: str
    value: tuple[Fraction, int, int] | None


def number(parts: tuple[int, int, str]) -> Tried:
    whole, thousandths, unit = parts
    scale, dimension = UNITS[unit]
    text = f"{whole}.{thousandths:03d}{unit}"
    return Tried(text, (Fraction(whole * 1000 + thousandths, 1000) * scale, *dimension))


def metric(name: str) -> Tried:
    scale, dimension = UNITS[METRIC_UNITS[METRICS[name].unit]]
    return Tried(name, (Fraction(MEASURED[name]) * scale, *dimension))


def combined(parts: tuple[Tried, str, Tried]) -> Tried:
    left, sign, right = parts
    text = f"({left.text} {sign} {right.text})"
    if left.value is None or right.value is None:
        return Tried(text, None)
    (one, time, size), (two, times, sizes) = left.value, right.value
    if sign in "+-":
        return Tried(text, (OPERATE[sign](one, two), time, size) if (time, size) == (times, sizes) else None)
    if sign == "/" and two == 0:
        return Tried(text, None)
    way = 1 if sign == "*" else -1
    return Tried(text, (OPERATE[sign](one, two), time + way * times, size + way * sizes))


LEAVES = st.one_of(
    st.tuples(st.integers(0, 999), st.integers(0, 999), st.sampled_from(sorted(UNITS))).map(number),
    st.sampled_from(sorted(MEASURED)).map(metric),
)
EXPRESSIONS = st.recursive(
    LEAVES, lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(combined), max_leaves=6
)  # fmt: skip


def judged(text: str) -> Any:
    return expect.judge(parse(text), MEASURED, {})[0]


@given(EXPRESSIONS, st.sampled_from(sorted(COMPARE)), EXPRESSIONS)
def test_a_comparison_is_judged_as_exact_arithmetic_judges_it(left: Tried, sign: str, right: Tried) -> None:
    text = f"{left.text} {sign} {right.text}"
    assume(len(text) <= MAX_LENGTH)
    if left.value is None or right.value is None or left.value[1:] != right.value[1:]:
        assert not can_be_read(text) or judged(text) == "unknown"  # unknown: something is divided by nothing
        return
    one, two = left.value[0], right.value[0]
    rounded = "(" in text and abs(one - two) <= max(abs(one), abs(two)) / 10**9  # several steps in floats
    assert rounded or judged(text) is COMPARE[sign](one, two)


def can_be_read(text: str) -> bool:
    try:
        parse(text)
    except MalformedExpectation:
        return False
    return True


@given(st.integers(0, 10_000))
def test_a_share_equals_the_percentage_that_it_is(hundredths: int) -> None:
    """57% is 0.57, though 57 * 0.01 is a bit more."""
    measured = {"availability": hundredths / 10_000}
    for sign in ("==", ">=", "<="):
        line = parse(f"availability {sign} {hundredths / 100:.2f}%")
        assert expect.judge(line, measured, {})[0] is True


@given(st.integers(0, 10**6))
def test_a_rate_equals_its_number_a_second(rate: int) -> None:
    assert expect.judge(parse(f"throughput_ops_s == {rate}/s"), {"throughput_ops_s": float(rate)}, {})[0] is True


@given(st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=40))
def test_whatever_stands_there_is_read_or_refused_with_a_sentence(text: str) -> None:
    said = "read"
    try:
        parse(text)
    except MalformedExpectation as error:
        said = str(error)
    assert 0 < len(said) < 700


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("availabilty >= 95%", "did you mean availability?"),
        ("latency_p99_ms <= 5", "a time is compared with a plain number or share; write a time such as 200ms"),
        ("availability >= 5ms", "write a plain number or a share such as 95%"),
        ("throughput_ops_s >= 5ms", "write a rate such as 100/s"),
        ("bytes_sent <= 5", "write a size such as 10kB"),
        ("latency_p99_ms + availability <= 5ms", "a time + a plain number or share means nothing"),
        ("latency_p99_ms * latency_p99_ms <= 5ms", "time^2"),
        ("latency_p99_ms <= 5msec", "there is no unit 'msec'; did you mean ms"),
        ("latency_p99_ms", "breaks off where a comparison"),
        ("latency_p99_ms <=", "breaks off where a metric or a number"),
        ("latency_p99_ms 5ms", "'5ms' stands where a comparison is expected"),
        ("<= 5ms", "'<=' stands where a metric"),
        ("latency_p99_ms <= 5ms 6ms", "'6ms' is left over; a line may end with: in 90% of runs"),
        ("latency_p99_ms <= 5ms in 90 of runs", "a line may end with: in 90% of runs"),
        ("latency_p99_ms <= 5ms in 0% of runs", "a share above 0%"),
        ("latency_p99_ms <= 5ms in 101% of runs", "up to 100%"),
        ("(latency_p99_ms <= 5ms", "'<=' stands where ) is expected"),
        ("latency_p99_ms = 5ms", "can't be read"),
        ("latency_p99_ms[op=read <= 5ms", "can't be read"),
        ("latency_p99_ms[shard=1] <= 5ms", "has no label 'shard'; it has region, op"),
        ("latency_p99_ms[op] <= 5ms", "labels are written as"),
        ("latency_p99_ms[op=a,op=b] <= 5ms", "the label op stands twice"),
        ("elections[op=a] <= 5", "it has none"),
        ("linearizable is right", "a verdict is valid or invalid, not 'right'"),
        ("linearizable is", "breaks off where valid or invalid"),
        ("a b: availability >= 1%", "names no variants"),
        (": availability >= 1%", "names no variants"),
        ("a.availability >= availability", "names one before each metric"),
        ("b: a.availability >= a.availability", "names one before each metric"),
        ("1 < " + "(" * (MAX_NESTING + 1), "nested more than 20 deep"),
        ("1 < " + "1 + " * MAX_LENGTH + "1", "characters; 500 are allowed"),
        ("", "breaks off"),
        ("__import__('os').system('x') >= 1", "can't be read"),
    ],
)
def test_a_line_that_cannot_be_read_says_where_and_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(MalformedExpectation) as refused:
        parse(text)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "variants", "share", "of_group"),
    [
        ("availability >= 95%", (), None, False),
        ("naive: availability >= 95%", ("naive",), None, False),
        ("a, b-c : availability >= 95%", ("a", "b-c"), None, False),
        ("a.availability >= b.availability", (), None, True),
        ("availability >= 95% in 90% of runs", (), 0.9, True),
        ("naive: linearizable is invalid in 50% of runs", ("naive",), 0.5, True),
        ("single-flight.latency_p99_ms <= 0.2 * naive.latency_p99_ms", (), None, True),
        ("v1.2.availability >= b.availability", (), None, True),
    ],
)
def test_of_which_runs_a_line_speaks(text: str, variants: tuple[str, ...], share: float | None, of_group: bool) -> None:
    line = parse(text)
    assert (line.variants, line.share, line.of_group) == (variants, share, of_group)


def test_labels_are_put_into_the_order_that_metrics_have_them() -> None:
    line = parse("latency_p99_ms[op=write, region=eu-west-1] <= 5ms")
    assert line.references[0].labels == "[region=eu-west-1,op=write]"


def test_a_dash_in_a_name_is_no_minus() -> None:
    assert parse("a-b.ok - c.ok > 0").references[0].variant == "a-b"
    assert judged("ok - 10 == 30") is True
    assert judged("ok -10 == 30") is True


def test_products_bind_more_tightly_and_chains_go_from_left_to_right() -> None:
    assert judged("1 + 2 * 3 == 7") is True
    assert judged("10 - 4 - 3 == 3") is True
    assert judged("8 / 4 / 2 == 1") is True


def test_every_unit_of_a_metric_is_a_unit_of_the_grammar() -> None:
    for row in METRICS.values():
        assert METRIC_UNITS[row.unit] in UNITS
