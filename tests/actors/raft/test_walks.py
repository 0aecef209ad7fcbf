"""Raft's cores through anything that may happen to them, in any order: random walks, and Hypothesis' own."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from raft_walk import FLAVOURS, Walk

from actors.protocols.raft import Raft
from chaos.zoo.raft import RAFT

STEPS = 250


def walk(seed: int, kind: type[Raft] = Raft, *, steps: int = STEPS, calm: bool = True) -> Walk:
    rng = Random(seed)
    on_its_way = Walk(kind, FLAVOURS[seed % len(FLAVOURS)])
    for _ in range(steps):
        on_its_way.step(rng.randrange)
    if calm:
        on_its_way.calm_down()
    return on_its_way


@pytest.mark.parametrize("seeds", [range(first, first + 10) for first in range(0, 100, 10)], ids=str)
def test_no_walk_breaks_a_promise_and_all_agree_once_faults_stop(seeds):
    for seed in seeds:
        walk(seed)


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(first, first + 100) for first in range(1000, 5000, 100)], ids=str)
def test_no_long_walk_does(seeds):
    for seed in seeds:
        walk(seed, steps=600)


def test_walks_come_to_what_they_are_to_try():
    """A walk that never elects, compacts or changes members would prove nothing."""
    walks = [walk(seed) for seed in range(20)]
    actors = [actor for found in walks for actor in found.cluster.actors.values()]
    assert sum(actor.snapshot is not None for actor in actors) > len(actors) / 4
    assert sum(actor.configuration.serial > 0 for actor in actors) > len(actors) / 10
    assert sum(found.crashes for found in walks) > 20
    assert sum(len(found.cluster.invariants.committed) > 5 for found in walks) > len(walks) / 2


FOUND_BY_WALKS = (
    "acknowledges-unsaved",
    "blind-append-after-snapshot",
    "commit-goes-back",
    "commit-stops-at-old-term",
    "commit-without-majority",
    "counts-own-unsaved",
    "half-is-majority",
    "no-log-freshness",
)
"""Those that a random walk meets soon; the others take a story (`raft_stories`)."""


@pytest.mark.parametrize("mutant", FOUND_BY_WALKS)
def test_walks_catch_wrong_rafts(mutant):
    for seed in range(200):
        try:
            walk(seed, RAFT[mutant])
        except AssertionError:
            return
    raise AssertionError("200 walks without a complaint")


class AnyStory(RuleBasedStateMachine):
    """The same steps, chosen by Hypothesis, which makes a story that breaks a promise short."""

    @initialize(flavour=st.sampled_from(FLAVOURS))
    def begin(self, flavour):
        self.walk = Walk(settings=flavour)

    @rule(choices=st.lists(st.integers(0, 23), min_size=4, max_size=4))
    def anything(self, choices):
        left = iter(choices)
        self.walk.step(lambda n: next(left, 0) % n)

    @rule()
    def deliver(self):
        self.walk.deliver(lambda n: n - 1 if n == 3 else 0)

    @rule(node=st.integers(0, 3))
    def elect(self, node):
        cluster = self.walk.cluster
        if node in cluster.actors and "election" in cluster.nodes[node].timers:
            cluster.elect(node)

    @rule()
    def propose(self):
        self.walk.propose(lambda n: n - 1)

    def teardown(self):
        self.walk.calm_down()


TestAnyStory = AnyStory.TestCase
TestAnyStory.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@pytest.mark.long
class TestAnyLongStory(AnyStory.TestCase):
    settings = settings(max_examples=1500, stateful_step_count=80, deadline=None)
