"""A schedule: steps, each of which says when, what and for how long.

What: one fault, or steps one after another (`sequence`) or at once (`together`), or nothing for a while (`wait`).
When, on the top level: at a time, every so often, at random, when a condition is observed, or after another step. A
step inside a block begins when its turn comes. How long: `for` a time, `until` a time or a condition; else to the end.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from actors.draws import exponential
from actors.settings import MS, SECOND
from chaos.fault import Fault
from cluster.streams import stream

NEVER_NS = 1 << 62


class Step(msgspec.Struct, frozen=True):
    """One step. At most one of `at_ns`, `every_ns`, `between_ns`, `when`, `after` is set; none: when its turn comes."""

    name: str  # of its fault, or of its kind
    fault: Fault | None = None  # None: a block or a wait
    at_ns: int | None = None
    every_ns: int | None = None  # at this time and its multiples
    for_ns: int | None = None  # None, with no `until` either: to the end of the run
    label: str = ""  # what the file calls it
    key: str = ""  # names its random draws, so that leaving another step out shifts none of them; else its place
    jitter_ns: int = 0  # each time of `every` is put off by a drawn part of this
    count: int | None = None  # how often `every`, `random` and `when` inject at most
    between_ns: int | None = None  # random: the mean time from the last heal to the next injection
    heal_ns: int | None = None  # random: the mean time to the heal
    when: str | None = None  # a condition, see `chaos.conditions`
    timeout_ns: int | None = None  # of `when`: how long to wait for it
    after: str | None = None  # the label of the step whose end this one follows, each time
    until_ns: int | None = None
    until: str | None = None  # a condition
    probability: float = 1.0  # that it happens at all, drawn each time
    repeat: int = 1  # how often in a row, each time
    max_affected: int | None = None  # servers that may be down together with those that this step hits
    sequence: tuple["Step", ...] = ()
    together: tuple["Step", ...] = ()
    wait_ns: int | None = None


class Steady(msgspec.Struct, frozen=True):
    """A condition that must be seen before chaos starts; if it isn't in time there is no chaos in this run."""

    condition: str
    timeout_ns: int = 10 * SECOND


class Occurrence(NamedTuple):
    """One time at which a step is to begin, known before the run."""

    number: int  # counts from 0
    at_ns: int
    for_ns: int | None  # drawn, for a step at random


def occurrences(step: Step, *, seed: int, duration_ns: int) -> Iterator[Occurrence]:
    """The times of a step that are known before the run: of `at`, `every` and `random`, in order."""
    if step.at_ns is not None:
        yield Occurrence(0, step.at_ns, step.for_ns)
    elif step.every_ns is not None:
        yield from _every(step, step.every_ns, seed, duration_ns)
    elif step.between_ns is not None:
        yield from _at_random(step, step.between_ns, seed, duration_ns)


def _every(step: Step, every_ns: int, seed: int, duration_ns: int) -> Iterator[Occurrence]:
    jitter = stream(seed, "chaos", step.key, "jitter")
    for number, time_ns in enumerate(range(every_ns, duration_ns, every_ns)):
        if number == step.count:
            return
        at_ns = time_ns + _whole_ms(jitter.random() * step.jitter_ns)
        if at_ns < duration_ns:
            yield Occurrence(number, at_ns, step.for_ns)


def _at_random(step: Step, between_ns: int, seed: int, duration_ns: int) -> Iterator[Occurrence]:
    """Exponential times between a heal and the next injection, and to the heal (MTBF and MTTR)."""
    draws = stream(seed, "chaos", step.key, "random")
    at_ns = number = 0
    while number != step.count:
        at_ns += max(MS, _whole_ms(exponential(draws) * between_ns))
        for_ns = step.for_ns if step.heal_ns is None else max(MS, _whole_ms(exponential(draws) * step.heal_ns))
        if at_ns >= duration_ns:
            return
        yield Occurrence(number, at_ns, for_ns)
        at_ns += for_ns or 0
        number += 1


def _whole_ms(time_ns: float) -> int:
    """Drawn times are whole milliseconds, which people can read and write into a file."""
    return int(time_ns) // MS * MS


def keyed(steps: tuple[Step, ...], prefix: str = "") -> tuple[Step, ...]:
    """The same steps, each with a key: its own, or its place in the schedule."""
    return tuple(_keyed(step, step.key or f"{prefix}{place}") for place, step in enumerate(steps))


def _keyed(step: Step, key: str) -> Step:
    sequence, together = keyed(step.sequence, f"{key}."), keyed(step.together, f"{key}.")
    return msgspec.structs.replace(step, key=key, sequence=sequence, together=together)
