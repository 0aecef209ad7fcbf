"""Clocks against an oracle that keeps the events themselves: sets of writes, and what each had seen.

A trace is a list of moves over three replicas: a write through a replica by a client that brings what it got from an
earlier read or write (or nothing), or a replica that syncs from another. The oracle plays the same trace with sets.
"""

from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.clocks import MECHANISMS
from actors.clocks.content import Content, Writer
from actors.clocks.vector import NOTHING_SEEN, Context

REPLICAS = (11, 12, 13)
CLIENTS = 4
LOSSLESS = ("dvv", "dvvset")


class Move(NamedTuple):
    """kind: write or sync. `place` is the replica; `other` the one synced from; `source` where the context is from."""

    kind: str
    place: int
    other: int
    client: int
    source: int


MOVES = st.lists(
    st.builds(
        Move,
        st.sampled_from(("write", "write", "sync")),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, CLIENTS - 1),
        st.integers(-1, 5),  # -1: nothing seen; 0..2: read this replica now; 3..: what the client holds
    ),
    max_size=14,
)


class Seen(NamedTuple):
    """What a client holds: the system's context, and the oracle's set of events."""

    context: Context = NOTHING_SEEN
    events: frozenset[int] = frozenset()


class World:
    """Three replicas by a mechanism, and beside them the truth."""

    def __init__(self, name: str, *, write_contexts: bool) -> None:
        self.mechanism = MECHANISMS[name]
        self.write_contexts = write_contexts
        self.clocks: list[Any] = [self.mechanism.empty] * 3
        self.live: list[frozenset[int]] = [frozenset()] * 3
        self.known: list[frozenset[int]] = [frozenset()] * 3
        self.held = [Seen() for _ in range(CLIENTS)]
        self.events = 0

    def play(self, move: Move) -> None:
        if move.kind == "sync":
            here, there = move.place, move.other
            self.clocks[here] = self.clocks[here].sync(self.clocks[there])
            a, b = self.live[here], self.live[there]
            self.live[here] = (a & b) | (a - self.known[there]) | (b - self.known[here])
            self.known[here] |= self.known[there]
            return
        seen = self.context_of(move)
        self.events += 1
        writer = Writer(REPLICAS[move.place], 100 + move.client, self.events)
        clock, context = self.mechanism.update(self.clocks[move.place], seen.context, Content(self.events), writer)
        self.clocks[move.place] = clock
        mine = seen.events | {self.events}
        self.live[move.place] = (self.live[move.place] - seen.events) | {self.events}
        self.known[move.place] |= mine
        self.told = Seen(context, frozenset(mine))
        self.held[move.client] = self.told if self.write_contexts else seen

    def context_of(self, move: Move) -> Seen:
        if move.source < 0:
            return Seen()
        if move.source < 3:
            return Seen(self.clocks[move.source].join(), self.known[move.source])
        return self.held[move.client]

    def values(self, place: int) -> list[int]:
        return sorted(content.value for content in self.clocks[place].siblings)


def played(name: str, moves: list[Move], *, write_contexts: bool = False) -> World:
    world = World(name, write_contexts=write_contexts)
    for move in moves:
        world.play(move)
    return world


@pytest.mark.parametrize("name", LOSSLESS)
@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_siblings_are_exactly_the_writes_that_no_known_write_had_seen(name: str, moves: list[Move]) -> None:
    world = played(name, moves)
    for place in range(3):
        assert world.values(place) == sorted(world.live[place])


@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_dotted_vectors_are_exact_for_clients_that_go_on_from_their_own_writes(moves: list[Move]) -> None:
    world = played("dvv", moves, write_contexts=True)
    for place in range(3):
        assert world.values(place) == sorted(world.live[place])


@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_the_compact_set_may_keep_a_clients_own_earlier_write_but_loses_none(moves: list[Move]) -> None:
    world = played("dvvset", moves, write_contexts=True)
    for place in range(3):
        assert set(world.values(place)) >= world.live[place]


@pytest.mark.parametrize("name", LOSSLESS)
@given(moves=MOVES, write_contexts=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_writes_answer_never_covers_what_its_client_has_not_seen(
    name: str, moves: list[Move], write_contexts: bool
) -> None:
    """Whoever overwrites with the answer of its last write drops only what it has seen."""
    world = World(name, write_contexts=write_contexts)
    for move in moves:
        world.play(move)
        if move.kind != "write":
            continue
        unseen = world.live[move.place] - world.told.events
        clock, _ = world.mechanism.update(
            world.clocks[move.place], world.told.context, Content(-1), Writer(REPLICAS[move.place], 99, 0)
        )
        assert {content.value for content in clock.siblings} >= unseen


def test_by_server_a_blind_write_takes_the_place_of_another_clients() -> None:
    """Zoo 31: two clients that saw nothing write through one server; one write is lost without a trace."""
    world = played("vv-server", [Move("write", 0, 0, 0, -1), Move("write", 0, 0, 1, -1)])
    assert world.live[0] == {1, 2}
    assert world.values(0) == [2]


def test_last_writer_wins_sees_no_conflict() -> None:
    world = played("lww", [Move("write", 0, 0, 0, -1), Move("write", 1, 0, 1, -1), Move("sync", 0, 1, 0, 0)])
    assert world.values(0) == [2]


@pytest.mark.parametrize("name", MECHANISMS)
@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_sync_is_commutative_idempotent_and_associative(name: str, moves: list[Move]) -> None:
    clocks = played(name, moves, write_contexts=True).clocks
    for one, other, third in product(clocks, repeat=3):
        assert one.sync(other) == other.sync(one)
        assert one.sync(one) == one
        assert one.sync(other).sync(third) == one.sync(other.sync(third))


@pytest.mark.parametrize("name", MECHANISMS)
@given(moves=MOVES)
@settings(max_examples=60, deadline=None)
def test_a_write_by_a_client_that_has_read_leaves_only_itself(name: str, moves: list[Move]) -> None:
    world = played(name, moves)
    clock = world.clocks[0]
    after, _ = world.mechanism.update(clock, clock.join(), Content(-1), Writer(REPLICAS[0], 99, 10_000))
    assert [content.value for content in after.siblings] == [-1]


@pytest.mark.parametrize("name", ["dvv", "dvvset", "vv-client"])
def test_size_grows_with_the_servers_that_coordinated_and_by_client_with_the_clients(name: str) -> None:
    """A hundred clients, one after the other, read and write through the same three servers."""
    mechanism = MECHANISMS[name]
    clock: Any = mechanism.empty
    for client in range(100):
        writer = Writer(REPLICAS[client % 3], 1000 + client, client)
        clock, _ = mechanism.update(clock, clock.join(), Content(client), writer)
    assert len(clock.siblings) == 1
    assert clock.entries == {"dvv": 4, "dvvset": 3, "vv-client": 100}[name]
