"""Each wrong Dynamo is caught, in storms that the right code goes through without a complaint."""

from typing import Any, NamedTuple

import pytest
from dynamo_storms import PROMISES, SETTLE_NS, STRICT_PROMISES, Weather, complaints, fast, run_dynamo, storm

from actors.node import Actor
from actors.protocols.dynamo import Dynamo
from actors.settings import MS, SECOND
from chaos.zoo import MUTANTS

CALM = Weather(faults=0)
CUTS = Weather(("isolate", "halves"))
CRASHES = Weather(("crash",), faults=4, longest_ns=SECOND)
SLOW_CUTS = Weather(("isolate", "halves", "delay"))
LOSSES = Weather(("delay", "loss", "isolate"))
PATIENCE = 20  # storms
BESIDE = 4  # of them that the right code goes through too


class Trap(NamedTuple):
    """What a mutant should not survive: settings, storms, and the promise that it breaks."""

    broken: str
    weather: Weather
    settings: dict[str, Any] = {}
    promises: tuple[str, ...] = STRICT_PROMISES
    keys: int = 6
    settle_ns: int = SETTLE_NS  # the longest one ends the writes with the storm, so that nothing mends what it broke


TRAPS = {
    "overlap-without-one": Trap(  # with four replicas, two and two don't meet
        "writes-visible",
        SLOW_CUTS,
        {"n": 4, "read_repair": "none", "anti_entropy": "none", "hinted_handoff": False},
        ("writes-visible",),
    ),
    "vector-by-server": Trap("writes-kept", CALM),
    "context-dropped": Trap("no-false-siblings", CALM),
    "reply-covers-unseen": Trap("writes-kept", CALM),
    "collected-too-early": Trap(
        "deletes-final",
        CUTS,
        {"hint_lifetime_ns": 200 * MS, "tombstone_grace_ns": 400 * MS},
        keys=40,
        settle_ns=15 * SECOND,
    ),
    "hint-counts": Trap("writes-visible", CUTS),
    "repairs-with-older": Trap("writes-visible", LOSSES, {"anti_entropy": "none"}, ("writes-visible", "writes-kept")),
    "wall-clock-decides": Trap("writes-kept", CALM, {"clock_error_ns": 300 * MS}),
    "counters-reused": Trap("writes-kept", CRASHES, {"storage": "memory"}, PROMISES),
    "tree-misses-deletes": Trap(
        "replicas-agree", CUTS, {"read_repair": "none", "hinted_handoff": False}, settle_ns=15 * SECOND
    ),
}
"""A new mutant gets its line. What the settings don't promise is not asked: memory forgets until anti-entropy comes."""


def accused(seed: int, trap: Trap, kind: type[Actor]) -> list[str]:
    settings = fast(**{"quorum": "strict", **trap.settings})
    steps = storm(seed, trap.weather)
    run = run_dynamo(settings, steps, seed=seed, kind=kind, keys=trap.keys, settle_ns=trap.settle_ns)
    return complaints(run, trap.promises)


@pytest.mark.parametrize("mutant", sorted(MUTANTS["dynamo"]))
def test_a_storm_catches_it(mutant: str) -> None:
    trap = TRAPS[mutant]
    storms = (accused(seed, trap, MUTANTS["dynamo"][mutant]) for seed in range(PATIENCE))
    assert any(found.startswith(trap.broken) for told in storms for found in told), f"{PATIENCE} storms in vain"


@pytest.mark.parametrize("mutant", sorted(TRAPS))
def test_the_right_code_is_never_accused_in_its_storms(mutant: str) -> None:
    for seed in range(BESIDE):
        assert accused(seed, TRAPS[mutant], Dynamo) == [], f"seed {seed}"
