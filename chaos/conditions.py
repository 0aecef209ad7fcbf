"""Conditions that a schedule may wait for: a few sentences, and comparisons of what was observed with a number.

leader changes · leader elected · no leader · node crashes · node recovers
term > 5 · queue > 1000 · open >= 50 · failed > 10 · commit >= 100 · lag > 2s · Committed.index >= 100
"""

import operator
import re
from collections.abc import Callable
from typing import TypeAlias

from actors.settings import MS, SECOND
from chaos.sight import Sight

GAUGES: dict[str, Callable[[Sight], float]] = {
    "term": lambda sight: sight.term,
    "queue": lambda sight: sum(sight.waiting.values()),
    "open": lambda sight: sight.invoked - sight.ended,
    "failed": lambda sight: sight.failed,
    "commit": lambda sight: max(sight.committed.values(), default=0),
    "crashes": lambda sight: sight.crashes,
    "elections": lambda sight: sight.elections,
    "lag": lambda sight: sight.lag_ns(),
}
"""What can be compared. `queue`: arrivals that wait for a free client; `open`: operations that are under way;
`lag`: how long the server that is furthest behind has lacked what another committed. `Event.field` is the last value
of that field of an event that any node emitted."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
UNITS_NS = {"ns": 1, "us": 1_000, "ms": MS, "s": SECOND, "min": 60 * SECOND, "": 1}
_COMPARISON = re.compile(r"([A-Za-z_]\w*(?:\.\w+)?)\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)?)\s*([a-z]*)")


class MalformedCondition(ValueError):
    """A text that is no condition. Says what was found and what there is."""


Test: TypeAlias = Callable[[Sight], bool]
"""Asked after each event: whether the condition has just come true."""

Watch: TypeAlias = Callable[[Sight, bool], Test]
"""Begins to watch at what has been seen so far. The second argument: whether what holds already counts as coming true;
it does where somebody begins to wait, and does not where he has just acted on it."""


def parse(text: str) -> Watch:
    """Read a condition. `leader changes`, `node crashes` and `node recovers` come true at each such event.

    Raises: MalformedCondition.
    """
    words = " ".join(text.split())
    if words in WATCHES:
        return WATCHES[words]
    match = _COMPARISON.fullmatch(words)
    if match is None:
        raise MalformedCondition(f"{text!r} is no condition; write one of {', '.join(WATCHES)}, or such as term > 5")
    name, comparison, number, unit = match.groups()
    gauge = _gauge(name)
    if unit not in UNITS_NS or (unit and name != "lag"):
        raise MalformedCondition(f"{text!r}: {name} is not measured in {unit!r}")
    if name == "lag" and not unit:
        raise MalformedCondition(f"{text!r}: a lag needs a unit, such as lag > 2s")
    limit, compare = float(number) * UNITS_NS[unit], COMPARISONS[comparison]
    return _state(lambda sight: compare(gauge(sight), limit))


def _gauge(name: str) -> Callable[[Sight], float]:
    kind, dot, field = name.partition(".")
    if dot:
        return lambda sight: sight.told(kind, field)
    if name not in GAUGES:
        raise MalformedCondition(f"there is no {name!r} to compare; there are {', '.join(GAUGES)}, and Event.field")
    return GAUGES[name]


def _state(holds: Callable[[Sight], bool]) -> Watch:
    """Something that holds for a time, and comes true where that begins."""

    def watch(start: Sight, at_once: bool) -> Test:
        before = not at_once and holds(start)

        def begins(sight: Sight) -> bool:
            nonlocal before
            held, before = before, holds(sight)
            return before and not held

        return begins

    return watch


def _moment(count: Callable[[Sight], int]) -> Watch:
    """Something that happens: it comes true each time that its count goes up."""

    def watch(start: Sight, _: bool) -> Test:
        known = count(start)

        def again(sight: Sight) -> bool:
            nonlocal known
            before, known = known, count(sight)
            return known > before

        return again

    return watch


WATCHES: dict[str, Watch] = {
    "leader changes": _moment(lambda sight: sight.changes),
    "leader elected": _state(lambda sight: sight.leader is not None),
    "no leader": _state(lambda sight: bool(sight.elections) and sight.leader is None),
    "node crashes": _moment(lambda sight: sight.crashes),
    "node recovers": _moment(lambda sight: sight.recoveries),
}
"""Sentence -> how to watch for it. A leader changes where another one than the last is elected."""
