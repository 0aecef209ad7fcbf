"""Each wrong Raft is caught by its story, and the right one comes through all of them."""

import pytest
from raft_stories import CAUGHT_BY

from actors.protocols.raft import Raft
from chaos.zoo.raft import RAFT


@pytest.mark.parametrize("mutant", RAFT)
def test_its_story_catches_it(mutant):
    story, accusation = CAUGHT_BY[mutant]
    with pytest.raises(AssertionError, match=accusation):
        story(RAFT[mutant])


@pytest.mark.parametrize("story", dict.fromkeys(story for story, _ in CAUGHT_BY.values()), ids=lambda s: s.__name__)
def test_the_right_code_comes_through(story):
    story(Raft)


def test_every_mutant_says_what_it_breaks():
    for name, kind in RAFT.items():
        assert "(" in (kind.__doc__ or ""), name
