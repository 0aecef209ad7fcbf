"""Links: order, draws, rates, and delays held against the profile that they come from."""

import math
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.settings import MS
from cluster.control import LinkRule
from cluster.latency import Profile, load_profile, profile_names
from cluster.network import Link, Network
from cluster.topology import Topology

ROUTE = ("us-east-1", "eu-west-1")
PLACES = Topology((*ROUTE, "us-east-1"), 3)

RULES = st.builds(
    LinkRule,
    sources=st.sampled_from([(0,), (1,), (0, 1, 2)]),
    targets=st.sampled_from([(0,), (1,), (0, 1, 2)]),
    drop=st.booleans(),
    loss=st.sampled_from([0.0, 0.2, 1.0]),
    duplicate=st.sampled_from([0.0, 0.3, 1.0]),
    delay_ns=st.sampled_from([0, MS, 200 * MS]),
)


def network(seed: int = 1, topology: Topology = PLACES, latency: str = "aws-2025") -> Network:
    return Network(topology, load_profile(latency), seed=seed, inside_region_rtt_ns=None)


def send(link: Link, count: int, *, every_ns: int = MS, from_ns: int = 0) -> list[tuple[int, ...]]:
    """The arrival times of messages sent one after another."""
    return [link.pass_(from_ns + number * every_ns) for number in range(count)]


def everywhere(**what: float) -> tuple[LinkRule, ...]:
    return (LinkRule(sources=(0, 1, 2), targets=(0, 1, 2), **what),)  # type: ignore[arg-type]


# order


@given(st.lists(st.integers(0, 3 * MS), min_size=2, max_size=60), st.integers(0, 1000))
def test_a_link_delivers_first_in_first_out_however_close_the_sends(gaps_ns: list[int], seed: int) -> None:
    link, now_ns, arrivals = network(seed).link(0, 1), 0, []
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        arrivals += link.pass_(now_ns)
    assert arrivals == sorted(arrivals)
    assert len(arrivals) == len(gaps_ns)


def test_a_delay_that_is_lifted_lets_nothing_overtake_what_it_held_up() -> None:
    net = network()
    net.apply_rules(everywhere(delay_ns=500 * MS))
    (held,) = net.link(0, 1).pass_(0)
    net.apply_rules(())
    (later,) = net.link(0, 1).pass_(MS)
    assert later == held > 500 * MS


def test_a_duplicates_copy_comes_behind_its_original() -> None:
    net = network()
    net.apply_rules(everywhere(duplicate=1.0))
    assert all(len(dues) == 2 and dues[0] <= dues[1] for dues in send(net.link(0, 1), 300))


# draws


@given(st.lists(st.lists(RULES, max_size=3), min_size=1, max_size=6), st.integers(0, 1000))
@settings(max_examples=60)
def test_whatever_faults_are_laid_the_links_draws_stay_where_they_were(phases: list[list[LinkRule]], seed: int) -> None:
    """Each message draws exactly 64 bits: after n messages both links are at the same place of their stream."""
    plain, faulty = network(seed), network(seed)
    for rules in phases:
        faulty.apply_rules(tuple(rules))
        send(faulty.link(0, 1), 7)
        send(plain.link(0, 1), 7)
    assert faulty.link(0, 1).draw() == plain.link(0, 1).draw()


@given(RULES, RULES)
@settings(max_examples=60)
def test_taking_one_fault_away_shifts_no_draw_of_another(kept: LinkRule, taken: LinkRule) -> None:
    """Of the messages that both let pass, each takes as long with the second fault as without it, but for its delay.

    Sent a second apart, so that none waits behind another.
    """
    both, one = network(), network()
    both.apply_rules((kept, taken))
    one.apply_rules((kept,))
    for source, target in ((0, 1), (1, 0), (0, 2)):
        with_it = send(both.link(source, target), 40, every_ns=1000 * MS)
        without = send(one.link(source, target), 40, every_ns=1000 * MS)
        hit = source in taken.sources and target in taken.targets
        extra_ns = taken.delay_ns if hit else 0
        assert all(due[0] - extra_ns == plain[0] for due, plain in zip(with_it, without, strict=True) if due and plain)
        assert hit or with_it == without


def test_links_draw_from_streams_of_their_own() -> None:
    """By seed, source and target: none repeats another, and using one moves none of the others."""
    net = network()
    first = net.link(0, 1).draw()
    send(net.link(1, 0), 100)
    fresh = network()
    fresh.link(0, 1).draw()
    assert net.link(0, 1).draw() == fresh.link(0, 1).draw()
    assert len({first, net.link(1, 2).draw(), net.link(2, 1).draw(), network(seed=2).link(0, 1).draw()}) == 4


def test_a_links_bits_are_even() -> None:
    """Each of the 64 bits is set in half of 20,000 draws, within five standard deviations."""
    link, draws = network().link(0, 1), 20_000
    seen = [link.draw() for _ in range(draws)]
    bound = 5 * math.sqrt(draws) / 2
    assert all(abs(sum(bits >> bit & 1 for bits in seen) - draws / 2) < bound for bit in range(64))


# rates


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_loss_drops_its_share_of_the_messages(share: float) -> None:
    """Within five standard deviations of a binomial."""
    net, count = network(), 20_000
    net.apply_rules(everywhere(loss=share))
    lost = sum(not dues for dues in send(net.link(0, 1), count))
    assert abs(lost - share * count) < 5 * math.sqrt(count * share * (1 - share))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_duplicate_doubles_its_share_of_the_messages(share: float) -> None:
    net, count = network(), 20_000
    net.apply_rules(everywhere(duplicate=share))
    twice = sum(len(dues) == 2 for dues in send(net.link(0, 1), count))
    assert abs(twice - share * count) < 5 * math.sqrt(count * share * (1 - share))


def test_two_losses_combine_as_chances_do() -> None:
    net, count = network(), 20_000
    net.apply_rules(everywhere(loss=0.5) + everywhere(loss=0.2))
    lost = sum(not dues for dues in send(net.link(0, 1), count))
    assert abs(lost - 0.6 * count) < 5 * math.sqrt(count * 0.6 * 0.4)


def test_a_drop_lets_nothing_pass_and_a_loss_of_all_neither() -> None:
    for what in ({"drop": True}, {"loss": 1.0}):
        net = network()
        net.apply_rules(everywhere(**what))
        assert not any(send(net.link(0, 1), 1000))


def test_delays_add_up() -> None:
    slow, plain = network(), network()
    slow.apply_rules(everywhere(delay_ns=30 * MS) + everywhere(delay_ns=12 * MS))
    late = [with_it[0] - without[0] for with_it, without in zip(
        send(slow.link(0, 1), 50, every_ns=1000 * MS), send(plain.link(0, 1), 50, every_ns=1000 * MS), strict=True
    )]  # fmt: skip
    assert set(late) == {42 * MS}


def test_a_rule_of_one_direction_leaves_the_other_alone() -> None:
    net = network()
    net.apply_rules((LinkRule(sources=(0,), targets=(1,), drop=True),))
    assert not any(send(net.link(0, 1), 20))
    assert all(send(net.link(1, 0), 20))


def test_a_link_first_used_under_a_fault_is_judged_by_it() -> None:
    net = network()
    net.apply_rules(everywhere(drop=True))
    assert net.link(0, 1).pass_(0) == ()


# delays against the profile


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[int(share * len(values))]


def trips(profile: Profile, source: str, target: str, count: int = 8000) -> list[int]:
    """One-way delays of messages so far apart that none waits for another."""
    topology = Topology((source, target), 2)
    net = Network(topology, profile, seed=3, inside_region_rtt_ns=None)
    every_ns = 10_000 * MS
    return [dues[0] - number * every_ns for number, dues in enumerate(send(net.link(0, 1), count, every_ns=every_ns))]


@pytest.mark.parametrize("name", profile_names())
def test_the_median_trip_is_half_the_profiles_round_trip(name: str) -> None:
    """Between regions and inside one, within 1% of the trip or 20 us, whichever is more."""
    profile = load_profile(name)
    first = profile.regions[0]
    for other in (first, *profile.regions[1:4]):
        rtt_ms = profile.inside_region_rtt_ms if other == first else profile.rtt_ms[first][other]
        found_ms = median(trips(profile, first, other)) / 1e6
        assert found_ms == pytest.approx(rtt_ms / 2, rel=0.01, abs=0.02), (first, other)


def gamma2_quantile(p: float) -> float:
    """The x with 1 - (1 + x) exp(-x) = p, by bisection."""
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - (1 + middle) * math.exp(-middle) < p else (low, middle)
    return low


@pytest.mark.parametrize("share", [0.05, 0.25, 0.75, 0.9, 0.99])
@pytest.mark.parametrize("name", ["aws-2025", "gcp-2020", "azure-2026", "textbook"])
def test_sampled_percentiles_are_the_profiles_gamma(name: str, share: float) -> None:
    """Around the median by the gamma's quantiles at the profile's jitter, within five standard errors."""
    profile, count = load_profile(name), 8000
    source, target = profile.regions[0], profile.regions[1]
    found = trips(profile, source, target, count)
    scale_ns = profile.jitter_ms * 1e6 / math.sqrt(2)
    x = gamma2_quantile(share)
    expected_ns = profile.rtt_ms[source][target] * 1e6 / 2 + (x - gamma2_quantile(0.5)) * scale_ns
    density = x * math.exp(-x) / scale_ns
    bound_ns = 5 * math.sqrt(share * (1 - share) / count) / density
    assert abs(percentile(found, share) - expected_ns) < bound_ns


def test_one_message_in_a_thousand_takes_a_spike_with_a_pareto_tail() -> None:
    """Index 2: of the spikes a quarter is above twice the least, 1 in 100 above ten times it. Within 5 deviations."""
    profile, count = load_profile("aws-2025"), 100_000
    found = trips(profile, "us-east-1", "eu-west-1", count)
    floor_ns = profile.rtt_ms["us-east-1"]["eu-west-1"] / 2 * 1e6
    spikes = [trip - floor_ns for trip in found if trip - floor_ns > profile.spike_ms * 1e6]
    assert abs(len(spikes) - count / 1024) < 5 * math.sqrt(count / 1024)
    for times in (2, 10):
        above = sum(spike > times * profile.spike_ms * 1e6 for spike in spikes)
        expected = len(spikes) / times**2
        assert abs(above - expected) < 5 * math.sqrt(expected) + 2


def test_what_follows_a_spike_waits_for_it() -> None:
    link = network().link(0, 1)
    assert max(link.pass_(0)[0] for _ in range(5000)) == link.pass_(0)[0]


def detours(net: Network, minutes: int) -> list[int]:
    """By how much the route's trips are longer, minute by minute."""
    link, found = net.link(0, 1), []
    for minute in range(minutes):
        net.take_detours(minute * 60_000 * MS)
        found.append(link.delay_ns)
    return found


def test_a_route_takes_a_detour_in_its_share_of_the_minutes_but_never_in_the_first() -> None:
    profile = load_profile("aws-2025")
    found = detours(network(), 10_000)
    taken = [delay_ns for delay_ns in found if delay_ns]
    assert found[0] == 0
    assert abs(len(taken) - profile.detour_share * 10_000) < 5 * math.sqrt(profile.detour_share * 10_000)
    assert max(taken) <= profile.detour_stretch * profile.rtt_ms["us-east-1"]["eu-west-1"] * 1e6


def test_the_two_directions_of_a_route_take_their_detours_apart_and_links_of_one_route_together() -> None:
    net = network(topology=Topology((*ROUTE, *ROUTE), 4))
    links = [net.link(0, 1), net.link(2, 3), net.link(1, 0)]
    seen = []
    for minute in range(2000):
        net.take_detours(minute * 60_000 * MS)
        seen.append([link.delay_ns for link in links])
    assert all(one == other for one, other, _ in seen)
    assert any(one and not back for one, _, back in seen)
    assert not any(net.link(0, 2).delay_ns for _ in (net.take_detours(minute * 60_000 * MS) for minute in range(2000)))


def test_a_detour_adds_to_the_faults_of_its_link() -> None:
    net = network()
    minute = next(number for number, delay_ns in enumerate(detours(network(), 2000)) if delay_ns)
    net.take_detours(minute * 60_000 * MS)
    alone_ns = net.link(0, 1).delay_ns
    net.apply_rules(everywhere(delay_ns=5 * MS))
    assert net.link(0, 1).delay_ns == alone_ns + 5 * MS


def test_the_two_directions_of_a_pair_follow_their_own_figures() -> None:
    profile = Profile(
        name="slanted", description="", source="", date="", statistic="p50",
        inside_region_rtt_ms=0.5, jitter_ms=0.1, jitter_inside_region_ms=0.05,
        regions=("a", "b"), rtt_ms={"a": {"b": 100.0}, "b": {"a": 40.0}},
    )  # fmt: skip
    assert median(trips(profile, "a", "b", 500)) == pytest.approx(50 * MS, rel=0.01)
    assert median(trips(profile, "b", "a", 500)) == pytest.approx(20 * MS, rel=0.01)


def test_the_files_round_trip_inside_a_region_replaces_the_profiles() -> None:
    net = Network(Topology(("us-east-1",) * 2, 2), load_profile("aws-2025"), seed=1, inside_region_rtt_ns=8 * MS)
    found = [dues[0] - number * 1000 * MS for number, dues in enumerate(send(net.link(0, 1), 2000, every_ns=1000 * MS))]
    assert median(found) == pytest.approx(4 * MS, rel=0.02)
