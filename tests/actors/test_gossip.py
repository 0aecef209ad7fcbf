"""The rumour: it reaches everyone, as fast as the literature says, and survives what epidemics survive."""

import math
from typing import Any

import pytest
from scenario import Run, Script, simulate, small_setup

from actors.protocols.gossip import Gossip, GossipSettings, Heard
from actors.settings import MS, SECOND
from cluster.control import LinkRule
from cluster.fabric import ActorSpec

ROUND_MS = 100


def spread(nodes: int, style: str = "push-pull", director: Script | None = None, **setup: Any) -> Run:
    settings = GossipSettings(interval_ns=ROUND_MS * MS, style=style)  # type: ignore[arg-type]
    return simulate(
        small_setup([ActorSpec(Gossip, settings)] * nodes, **{"duration_ns": 4 * SECOND, **setup}), director
    )


def heard_ms(run: Run) -> list[float]:
    """When each node heard the rumour first."""
    first: dict[int, float] = {}
    for entry in run.entries:
        if isinstance(entry.item, Heard):
            first.setdefault(entry.node, entry.time_ns / 1e6)
    return sorted(first.values())


@pytest.mark.parametrize("style", ["push", "pull", "push-pull"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everyone_hears_it(style: str, seed: int) -> None:
    assert len(heard_ms(spread(50, style, seed=seed))) == 50


@pytest.mark.parametrize("nodes", [16, 64, 256])
def test_a_push_reaches_everyone_in_about_log2_plus_ln_rounds(nodes: int) -> None:
    """Pittel, "On spreading a rumor", 1987: log2(n) + ln(n) + O(1) rounds; 5 more are allowed here."""
    rounds = heard_ms(spread(nodes, "push"))[-1] / ROUND_MS
    assert math.log2(nodes) / 2 < rounds < math.log2(nodes) + math.log(nodes) + 5


def test_the_last_hear_it_sooner_by_pull_than_by_push() -> None:
    """From half of the nodes to all: the share that does not know is squared a round, not divided by e."""

    def tail(style: str) -> float:
        times = heard_ms(spread(200, style))
        return times[-1] - times[100]

    assert tail("pull") < tail("push")


def test_it_passes_a_lossy_network() -> None:
    everyone = tuple(range(30))
    script = Script([(0, lambda control: control.lay((LinkRule(sources=everyone, targets=everyone, loss=0.5),)))])
    assert len(heard_ms(spread(30, director=script))) == 30


def test_a_partition_holds_it_up_and_its_end_lets_it_through() -> None:
    near, far = tuple(range(10)), tuple(range(10, 20))
    healing: list[Any] = []
    cut = (LinkRule(sources=near, targets=far, drop=True), LinkRule(sources=far, targets=near, drop=True))
    script = Script([
        (0, lambda control: healing.append(control.lay(cut))),
        (2 * SECOND, lambda _: healing.pop()()),
    ])  # fmt: skip
    times = heard_ms(spread(20, director=script))
    assert sum(time < 2000 for time in times) == 10
    assert len(times) == 20


def test_a_restarted_node_asks_again() -> None:
    healing: list[Any] = []
    script = Script([
        (SECOND, lambda control: healing.append(control.crash([5]))),
        (2 * SECOND, lambda _: healing.pop()()),
    ])  # fmt: skip
    entries = [entry for entry in spread(10, director=script).entries if entry.node == 5]
    assert [entry.time_ns > 2 * SECOND for entry in entries if isinstance(entry.item, Heard)] == [False, True]


def test_one_node_alone_keeps_its_rumour_to_itself() -> None:
    assert heard_ms(spread(1)) == [0]
