"""Conditions that a schedule may wait for: a few sentences, and comparisons of what was observed with a number.

leader changes · leader elected · no leader · node crashes · node recovers
term > 5 · queue > 1000 · open >= 50 · failed > 10 · commit >= 100 · lag > 2s · Committed.index >= 100
"""

import operator
import re
from collections.abc import Callable

from actors.settings import MS, SECOND
from chaos.sight import Sight

GAUGES: dict[str, Callable[[Sight], float]] = {
    "term": lambda sight: sight.term,
    "queue": lambda sight: sum(sight.waiting.values()),
    "open": lambda sight: sight.invoked - sight.ended,
    "failed": lambda sight: sight.failed,
    "commit": lambda sight: max(sight.committed.values(), default=0),
    "crashes": lambda sight: sight.crashes,
    "elections": lambda sight: len(sight.elected),
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


Test = Callable[[Sight], bool]


def parse(text: str) -> Callable[[Sight], Test]:
    """Read a condition.

    Returns: a function that starts a watch at what has been seen so far; the watch tells at each event whether the
        condition holds. `leader changes`, `node crashes` and `node recovers` hold at each such event after the start
        of the watch.

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
    return lambda _: lambda sight: compare(gauge(sight), limit)


def _gauge(name: str) -> Callable[[Sight], float]:
    kind, dot, field = name.partition(".")
    if dot:
        return lambda sight: sight.told(kind, field)
    if name not in GAUGES:
        raise MalformedCondition(f"there is no {name!r} to compare; there are {', '.join(GAUGES)}, and Event.field")
    return GAUGES[name]


def _leader_changes(start: Sight) -> Test:
    """Somebody else than the last one elected before is elected; the first election of all is no change."""
    last = start.elected[-1] if start.elected else None

    def changed(sight: Sight) -> bool:
        nonlocal last
        now = sight.elected[-1] if sight.elected else None
        before, last = last, now
        return before is not None and now != before

    return changed


def _counts_up(count: Callable[[Sight], int]) -> Callable[[Sight], Test]:
    def watch(start: Sight) -> Test:
        known = count(start)

        def more(sight: Sight) -> bool:
            nonlocal known
            before, known = known, count(sight)
            return known > before

        return more

    return watch


WATCHES: dict[str, Callable[[Sight], Test]] = {
    "leader changes": _leader_changes,
    "leader elected": lambda _: lambda sight: sight.leader is not None,
    "no leader": lambda _: lambda sight: bool(sight.elected) and sight.leader is None,
    "node crashes": _counts_up(lambda sight: sight.crashes),
    "node recovers": _counts_up(lambda sight: sight.recoveries),
}
"""Sentence -> how to watch for it."""
