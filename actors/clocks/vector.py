"""Version vectors and causal contexts: which events are known.

An event is a dot: the n-th of its actor. A vector stands for all dots (actor, 1..n); a context adds single dots beyond
a gap, so that a client can know its own write without the ones before it that it never saw.

Source: Parker and others, "Detection of mutual inconsistency in distributed systems", 1983 (version vectors); Almeida
and others, "Scalable and accurate causality tracking for eventually consistent stores", 2014 (dots beside a vector).
"""

from typing import TypeAlias

import msgspec

from actors.message import Message

ActorId: TypeAlias = int
Dot: TypeAlias = tuple[ActorId, int]
"""(actor, counter from 1)"""

Vector: TypeAlias = tuple[Dot, ...]
"""Sorted by actor, each at most once: all dots of an actor up to its counter. A plain tuple, for it travels a lot."""

EMPTY: Vector = ()


def counter(vector: Vector, actor: ActorId) -> int:
    """Up to where this actor's dots are known; 0 for none."""
    for known, n in vector:
        if known == actor:
            return n
    return 0


def covers(vector: Vector, dot: Dot) -> bool:
    return counter(vector, dot[0]) >= dot[1]


def raised(vector: Vector, dot: Dot) -> Vector:
    """The vector with an actor's counter no lower than the dot's."""
    counters = dict(vector)
    if counters.get(dot[0], 0) < dot[1]:
        counters[dot[0]] = dot[1]
        return tuple(sorted(counters.items()))
    return vector


def joined(one: Vector, other: Vector) -> Vector:
    """The least vector that covers both."""
    if one == other or not other:
        return one
    counters = dict(one)
    for actor, n in other:
        if counters.get(actor, 0) < n:
            counters[actor] = n
    return tuple(sorted(counters.items()))


def descends(later: Vector, earlier: Vector) -> bool:
    """Whether all that `earlier` knows is known to `later`."""
    counters = dict(later)
    return all(counters.get(actor, 0) >= n for actor, n in earlier)


class Context(Message, frozen=True):
    """What a client has seen of a key: a vector, and dots beyond its gaps (sorted, none of them covered by it)."""

    vector: Vector = EMPTY
    dots: tuple[Dot, ...] = ()

    def covers(self, dot: Dot) -> bool:
        return covers(self.vector, dot) or dot in self.dots

    def plus(self, dot: Dot) -> "Context":
        """The context that knows one more event."""
        return self if self.covers(dot) else _compact(dict(self.vector), [*self.dots, dot])

    def join(self, other: "Context") -> "Context":
        """What either knows."""
        if self == other:
            return self
        return _compact(dict(joined(self.vector, other.vector)), [*self.dots, *other.dots])


def _compact(counters: dict[ActorId, int], dots: list[Dot]) -> Context:
    """Close gaps: a dot that follows its actor's counter raises it."""
    apart = []
    for actor, n in sorted(set(dots)):
        known = counters.get(actor, 0)
        if n == known + 1:
            counters[actor] = n
        elif n > known:
            apart.append((actor, n))
    return Context(tuple(sorted(counters.items())), tuple(apart))


NOTHING_SEEN = Context()


class UnreadableContext(ValueError):
    """A context token that no server of this system gave."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Context).decode


def token(context: Context) -> bytes:
    """The context as clients carry it: bytes that mean nothing to them."""
    return _encode(context)


def from_token(data: bytes) -> Context:
    """The context that a client brings back; an empty token is a client that has seen nothing.

    Raises: UnreadableContext.
    """
    if not data:
        return NOTHING_SEEN
    try:
        return _decode(data)
    except msgspec.DecodeError as error:
        raise UnreadableContext(f"{data[:16].hex()}: {error}") from error
