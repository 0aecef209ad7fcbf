"""The grammar of expectations, read by recursive descent; units are checked while reading."""

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from experiments.metrics import METRICS
from experiments.near_words import did_you_mean

MAX_LENGTH = 500
MAX_NESTING = 20
COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")


class MalformedExpectation(ValueError):
    """A line that can't be read, or compares what can't be compared. Says where and what would be right."""


class Dimension(NamedTuple):
    """What a quantity measures: powers of a time (in ms) and of a size (in bytes). Counts and shares have none."""

    time: int = 0
    size: int = 0

    def __str__(self) -> str:
        names = {(0, 0): "a plain number or share", (1, 0): "a time", (-1, 0): "a rate", (0, 1): "a size"}
        return names.get((self.time, self.size), f"time^{self.time} size^{self.size}")


PLAIN, TIME, RATE, SIZE = Dimension(), Dimension(time=1), Dimension(time=-1), Dimension(size=1)

UNITS: dict[str, tuple[Fraction, Dimension]] = {  # exact: 57% is the 0.57 that a metric is, not a bit more
    "": (Fraction(1), PLAIN),
    "%": (Fraction(1, 100), PLAIN),
    "ns": (Fraction(1, 10**6), TIME),
    "us": (Fraction(1, 10**3), TIME),
    "ms": (Fraction(1), TIME),
    "s": (Fraction(10**3), TIME),
    "min": (Fraction(60 * 10**3), TIME),
    "h": (Fraction(3600 * 10**3), TIME),
    "/s": (Fraction(1, 10**3), RATE),
    "ops/s": (Fraction(1, 10**3), RATE),
    "/min": (Fraction(1, 60 * 10**3), RATE),
    "B": (Fraction(1), SIZE),
    "kB": (Fraction(10**3), SIZE),
    "MB": (Fraction(10**6), SIZE),
    "GB": (Fraction(10**9), SIZE),
    "KiB": (Fraction(2**10), SIZE),
    "MiB": (Fraction(2**20), SIZE),
    "GiB": (Fraction(2**30), SIZE),
    "B/s": (Fraction(1, 10**3), Dimension(-1, 1)),
    "kB/s": (Fraction(1), Dimension(-1, 1)),
    "MB/s": (Fraction(10**3), Dimension(-1, 1)),
}
METRIC_UNITS = {"ms": "ms", "s": "s", "ops/s": "ops/s", "share": "", "count": "", "bytes": "B"}


class Number(NamedTuple):
    """A number in base units."""

    value: float
    dimension: Dimension


class Reference(NamedTuple):
    """A metric, of a variant if it says so."""

    variant: str | None
    name: str
    labels: str  # in brackets as they stand in the name, sorted; "" without

    @property
    def dimension(self) -> Dimension:
        return UNITS[METRIC_UNITS[METRICS[self.name].unit]][1]

    def in_base_units(self, value: float) -> float:
        """A value in the metric's own unit, as numbers with units are kept."""
        scale = UNITS[METRIC_UNITS[METRICS[self.name].unit]][0]
        return value if scale == 1 or not math.isfinite(value) else float(Fraction(value) * scale)


class Arithmetic(NamedTuple):
    """A sum, difference, product or quotient."""

    operator: str
    left: "Expression"
    right: "Expression"
    dimension: Dimension


Expression: TypeAlias = Number | Reference | Arithmetic


class Comparison(NamedTuple):
    """Two expressions of one dimension."""

    left: Expression
    operator: str
    right: Expression


class VerdictIs(NamedTuple):
    """What a checker must say."""

    checker: str
    valid: bool


class Expectation(NamedTuple):
    """One line."""

    text: str
    variants: tuple[str, ...]  # in whose runs it must hold; () for all
    claim: Comparison | VerdictIs
    share: float | None  # of the runs, in which it must hold; None: in every one

    @property
    def checker(self) -> str | None:
        """The checker that it is about, if any."""
        return self.claim.checker if isinstance(self.claim, VerdictIs) else None

    @property
    def references(self) -> tuple[Reference, ...]:
        """The metrics that it speaks of."""
        if isinstance(self.claim, VerdictIs):
            return ()
        return (*_references(self.claim.left), *_references(self.claim.right))

    @property
    def of_group(self) -> bool:
        """Whether it takes several runs to judge."""
        return self.share is not None or any(reference.variant for reference in self.references)


def parse(text: str) -> Expectation:
    """Read a line. Raises MalformedExpectation."""
    if len(text) > MAX_LENGTH:
        raise MalformedExpectation(f"the line has {len(text)} characters; {MAX_LENGTH} are allowed")
    variants, body = _scope(text)
    reader = _Reader(body)
    claim = reader.claim()
    line = Expectation(text, variants, claim, reader.share_of_runs())
    named = [reference.variant for reference in line.references]
    if any(named) and (not all(named) or variants):
        raise MalformedExpectation("a line that compares variants names one before each metric: cured.latency_p99_ms")
    return line


def quantity(text: str) -> Number:
    """A number with or without a unit. Raises MalformedExpectation."""
    expression = _Reader(text).alone()
    if not isinstance(expression, Number):
        raise MalformedExpectation(f"{text!r} is no number with a unit, such as 160ms")
    return expression


def reference(text: str) -> Reference:
    """A metric with or without labels and a variant. Raises MalformedExpectation."""
    expression = _Reader(text).alone()
    if not isinstance(expression, Reference):
        raise MalformedExpectation(f"{text!r} is no metric, such as latency_p99_ms[op=write]")
    return expression


def _scope(text: str) -> tuple[tuple[str, ...], str]:
    """The variants before a colon, and the rest."""
    head, colon, rest = text.partition(":")
    if not colon:
        return (), text
    variants = tuple(part.strip() for part in head.split(","))
    if not all(re.fullmatch(r"[A-Za-z0-9][\w.-]*", variant) for variant in variants):
        raise MalformedExpectation(f"{head!r} before the colon names no variants")
    return variants, rest


_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]{1,30}(?:\.[0-9]{1,30})?)(?P<unit>(?:%|[A-Za-z]+)?(?:/[A-Za-z]+)?)"
    r"|(?P<name>[A-Za-z](?:[A-Za-z0-9_.]|-(?=[A-Za-z0-9]))*)(?P<labels>\[[^\]]*\])?"
    r"|(?P<sign><=|>=|==|!=|[<>+\-*/()]))"
)


def _tokens(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise MalformedExpectation(f"{text[at:].strip()[:20]!r} can't be read; such as: availability >= 95%")
        at = match.end()
        yield match[match.lastgroup or ""] if match.lastgroup == "sign" else match[0].strip(), match


class _Reader:
    """Reads tokens one after another."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next(self, wanted: str) -> tuple[str, re.Match[str]]:
        if self.at >= len(self.tokens):
            raise MalformedExpectation(f"the line breaks off where {wanted} is expected")
        self.at += 1
        return self.tokens[self.at - 1]

    def alone(self) -> Expression:
        """A single factor, with nothing behind it."""
        found = self._factor()
        if self.at < len(self.tokens):
            raise MalformedExpectation(f"{self.peek()!r} is left over")
        return found

    def claim(self) -> Comparison | VerdictIs:
        if len(self.tokens) > 1 and self.tokens[1][0] == "is":
            return self._verdict()
        left = self._sum()
        operator, _ = self.next("a comparison such as >=")
        if operator not in COMPARISONS:
            raise MalformedExpectation(f"{operator!r} stands where a comparison is expected: {' '.join(COMPARISONS)}")
        right = self._sum()
        if left.dimension != right.dimension:
            raise MalformedExpectation(f"{left.dimension} is compared with {right.dimension}; {_remedy(left, right)}")
        return Comparison(left, operator, right)

    def _verdict(self) -> VerdictIs:
        checker, _ = self.next("a checker")
        self.next("is")
        word, _ = self.next("valid or invalid")
        if word not in ("valid", "invalid"):
            raise MalformedExpectation(f"a verdict is valid or invalid, not {word!r}")
        return VerdictIs(checker, word == "valid")

    def share_of_runs(self) -> float | None:
        """The end of the line: nothing, or "in 90% of runs"."""
        if self.at == len(self.tokens):
            return None
        words = [word for word, _ in self.tokens[self.at :]]
        if len(words) != 4 or (words[0], *words[2:]) != ("in", "of", "runs") or not words[1].endswith("%"):
            raise MalformedExpectation(f"{' '.join(words)!r} is left over; a line may end with: in 90% of runs")
        share = float(words[1][:-1]) / 100
        if not 0 < share <= 1:
            raise MalformedExpectation(f"{words[1]} of runs: write a share above 0% and up to 100%")
        return share

    def _sum(self) -> Expression:
        left = self._product()
        while self.peek() in ("+", "-"):
            operator, _ = self.next("")
            right = self._product()
            if left.dimension != right.dimension:
                raise MalformedExpectation(f"{left.dimension} {operator} {right.dimension} means nothing")
            left = Arithmetic(operator, left, right, left.dimension)
        return left

    def _product(self) -> Expression:
        left = self._factor()
        while self.peek() in ("*", "/"):
            operator, _ = self.next("")
            right = self._factor()
            sign = 1 if operator == "*" else -1
            dimension = Dimension(
                left.dimension.time + sign * right.dimension.time, left.dimension.size + sign * right.dimension.size
            )
            left = Arithmetic(operator, left, right, dimension)
        return left

    def _factor(self) -> Expression:
        token, match = self.next("a metric or a number")
        if token == "(":
            return self._bracketed()
        if match["number"] is not None:
            return _number(match["number"], match["unit"])
        if match["name"] is not None:
            return _reference(match["name"], match["labels"] or "")
        raise MalformedExpectation(f"{token!r} stands where a metric or a number is expected")

    def _bracketed(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise MalformedExpectation(f"brackets are nested more than {MAX_NESTING} deep")
        inner = self._sum()
        closing, _ = self.next(")")
        if closing != ")":
            raise MalformedExpectation(f"{closing!r} stands where ) is expected")
        self.depth -= 1
        return inner


def _number(digits: str, unit: str) -> Number:
    if unit not in UNITS:
        raise MalformedExpectation(
            f"{digits}{unit}: there is no unit {unit!r}; {did_you_mean(unit, filter(None, UNITS))}"
        )
    scale, dimension = UNITS[unit]
    return Number(float(Fraction(digits) * scale), dimension)


def _reference(name: str, labels: str) -> Reference:
    variant, _, metric = name.rpartition(".")
    if metric not in METRICS:
        raise MalformedExpectation(f"there is no metric {metric!r}; {did_you_mean(metric, METRICS)}")
    return Reference(variant or None, metric, _labels(metric, labels))


def _labels(metric: str, text: str) -> str:
    """The labels in the order in which metrics have them."""
    if not text:
        return ""
    found: dict[str, str] = {}
    known = METRICS[metric].labels
    for part in text[1:-1].split(","):
        label, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise MalformedExpectation(f"{text}: labels are written as [region=eu-west-1,op=write]")
        if label not in known:
            there_are = f"it has {', '.join(known)}" if known else "it has none"
            raise MalformedExpectation(f"{metric} has no label {label!r}; {there_are}")
        if label in found:
            raise MalformedExpectation(f"{text}: the label {label} stands twice")
        found[label] = value
    return "[" + ",".join(f"{label}={found[label]}" for label in known if label in found) + "]"


def _references(expression: Expression) -> tuple[Reference, ...]:
    match expression:
        case Reference():
            return (expression,)
        case Arithmetic():
            return (*_references(expression.left), *_references(expression.right))
        case _:
            return ()


def _remedy(left: Expression, right: Expression) -> str:
    """How to mend a comparison of two dimensions."""
    dimension = left.dimension if isinstance(right, Number) else right.dimension
    examples = {PLAIN: "write a plain number or a share such as 95%", TIME: "write a time such as 200ms",
                RATE: "write a rate such as 100/s", SIZE: "write a size such as 10kB"}  # fmt: skip
    return examples.get(dimension, "both sides need the same units")
