"""The bug zoo: every mutant is caught, by judges that never accuse the right code under the same storms."""

import re

import pytest
from raft_alone import disk, raft
from scenario import tell
from storms import Climate, complaints, weather

from actors.protocols.raft import Raft
from actors.protocols.raft_messages import RequestVote, Vote
from actors.settings import MS
from actors.state.log import LogId
from actors.systems import SYSTEMS
from chaos.zoo import MUTANTS
from chaos.zoo.raft_elections import VoteNotPersisted

LONG_CUTS = Climate(("isolate", "halves"), faults=8, longest_ns=1500 * MS, rtt_ns=2 * MS)
CUTS_AND_CRASHES = Climate(("isolate", "crash"), faults=8, longest_ns=1500 * MS, rtt_ns=2 * MS)
# Two candidates in one term, and a voter that is back between their requests: short crashes and long trips.
SHORT_CRASHES = Climate(("crash",), faults=80, longest_ns=60 * MS, rtt_ns=80 * MS)

STORMS = {
    "commit-without-majority": (LONG_CUTS, "acknowledged at .* missing at"),
    "no-log-freshness": (CUTS_AND_CRASHES, "leader completeness"),
    "vote-not-persisted": (SHORT_CRASHES, "election safety"),
}
"""Storms that some mutants of Raft should not survive, and what they must be accused of; all have a story as well."""

PATIENCE = 300  # storms, a few seconds
BESIDE = 30  # of them that the right code goes through too


@pytest.mark.parametrize("mutant", sorted(STORMS))
def test_a_storm_catches_it(mutant):
    made_of, accusation = STORMS[mutant]
    storms = (complaints(weather(seed, MUTANTS["raft"][mutant], made_of)) for seed in range(PATIENCE))
    assert any(re.search(accusation, "\n".join(found)) for found in storms), f"{PATIENCE} storms without a complaint"


@pytest.mark.parametrize(
    "made_of",
    list(dict.fromkeys(made_of for made_of, _ in STORMS.values())),
    ids=lambda made_of: "+".join(made_of.kinds),
)
def test_the_right_code_is_never_accused_in_these_storms(made_of):
    for seed in range(BESIDE):
        assert complaints(weather(seed, Raft, made_of)) == [], f"seed {seed}"


def test_every_mutant_is_of_a_system_that_there_is_and_a_kind_of_it():
    """So that `system.raft.mutant: x` takes the same settings and runs anywhere the right code runs."""
    for system, mutants in MUTANTS.items():
        assert all(issubclass(kind, SYSTEMS[system]) and kind is not SYSTEMS[system] for kind in mutants.values())


def test_a_vote_that_is_lost_by_a_restart():
    """By hand what the storm finds by chance: one voter, two candidates of term 5, a crash between them."""
    voter, node = raft(kind=VoteNotPersisted)
    tell(voter, 1, RequestVote(5, LogId(0, 0)))
    again, after = raft(disk(**node.saved()), kind=VoteNotPersisted)
    tell(again, 2, RequestVote(5, LogId(0, 0)))
    assert (node.sent(), after.sent()) == ([(1, Vote(5, True))], [(2, Vote(5, True))])
