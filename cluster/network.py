"""Links: when, and whether, a message sent now arrives.

One link a directed pair of nodes, first in, first out. Every message draws exactly 64 bits from its link's own
stream, whatever faults are laid, so that laying or lifting a fault shifts no other draw: 12 bits pick the delay, 20
decide loss, 20 duplication, 12 a spike. What only a few messages need (the size of a spike, a duplicate's delay) comes
from a hash of their bits.
"""

from collections import Counter
from hashlib import blake2b, shake_128
from math import isqrt
from struct import Struct

from actors.message import Message, NodeId
from cluster.codec import size_bytes
from cluster.control import LinkRule
from cluster.latency import Profile, Trip
from cluster.streams import stream
from cluster.topology import Topology
from cluster.trouble import Trouble, trouble_of

SHARE = 1 << 20
BLOCKS = (1, 3, 12, 64)  # draws at a time, the last for good: of many links most carry little, and bulk is cheap
MINUTE_NS = 60_000_000_000
_PLACE = Struct("<QQQ").pack
_UNPACK = [Struct(f"<{count}Q").unpack for count in BLOCKS]


class Link:
    """One directed link. `pass_` is asked once a message.

    A fast loop may look into it: it takes `draws.pop()`, after `refill` if that is empty; bits below `plain_below` mean
    that nothing but the delay table and the order matters, for all others it asks `pass_bits`.
    """

    __slots__ = (
        "_blocks",
        "_place",
        "_seed",
        "delay_ns",
        "detour_ns",
        "draws",
        "duplicate",
        "last_due_ns",
        "loss",
        "plain_below",
        "rules",
        "table",
        "touched",
        "trip",
        "trouble",
    )

    def __init__(self, seed: bytes, place: tuple[NodeId, NodeId], trip: Trip) -> None:
        self._seed = seed
        self._place = place
        self._blocks = 0
        self.draws: list[int] = []
        self.trip = trip
        self.table = trip.table()
        self.last_due_ns = 0
        self.detour_ns = 0
        self.touched = 0  # messages that the rules dropped, doubled, spoiled or held up
        self.trouble: Trouble | None = None  # what is rarer than loss, duplicates and delay
        self.judge(())

    def judge(self, rules: tuple[LinkRule, ...]) -> None:
        """Fold the rules that lie over this link: drops win, delays add up, losses combine as chances do."""
        self.rules = rules
        self.trouble = trouble_of(rules, self.trouble)
        passing = unique = 1.0
        self.delay_ns = self.detour_ns
        for rule in rules:
            self.delay_ns += rule.delay_ns
            passing *= 0.0 if rule.drop else 1 - rule.loss
            unique *= 1 - rule.duplicate
        self.loss = round((1 - passing) * SHARE)
        self.duplicate = round((1 - unique) * SHARE)
        plain = not (self.loss or self.duplicate or self.delay_ns or self.trouble)
        self.plain_below = self.trip.spikes_from if plain else 0

    def refill(self) -> list[int]:
        """Draw the next block of this link's stream: a hash of (seed, link, number of the block)."""
        size = min(self._blocks, len(BLOCKS) - 1)
        block = shake_128(self._seed + _PLACE(*self._place, self._blocks)).digest(8 * BLOCKS[size])
        self._blocks += 1
        self.draws.extend(_UNPACK[size](block))
        return self.draws

    def draw(self) -> int:
        """The next 64 bits of this link's stream."""
        return (self.draws or self.refill()).pop()

    def pass_(self, now_ns: int, message: Message | None = None) -> tuple[int, ...]:
        """When a message sent now arrives: never (), once, or twice. Its size counts where bandwidth is bounded."""
        return self.pass_bits(self.draw(), now_ns, message)

    def pass_bits(self, bits: int, now_ns: int, message: Message | None = None) -> tuple[int, ...]:
        """When a message sent now with this draw arrives."""
        if (bits >> 12) & 0xFFFFF < self.loss:
            self.touched += 1
            return ()
        due = now_ns + self.table[bits & 0xFFF] + self.delay_ns
        self.touched += self.delay_ns > 0
        if self.trouble is not None:
            size = size_bytes(message) if self.trouble.bytes_s and message is not None else 0
            passage = self.trouble.judge(bits, now_ns, size)
            self.touched += passage.touched and not self.delay_ns
            if passage.dropped:
                return ()
            due += passage.late_ns
            if passage.overtaken:
                return (due,)  # what is sent next may overtake it
        if bits >= self.trip.spikes_from:
            due += self._spike_ns(bits)
        if due < self.last_due_ns:
            due = self.last_due_ns
        self.last_due_ns = due
        if (bits >> 32) & 0xFFFFF < self.duplicate:
            # The copy is late by up to one more trip, and what is sent next may overtake it.
            self.touched += 1
            return due, due + self.table[_more_bits(bits) & 0xFFF]
        return (due,)

    def _spike_ns(self, bits: int) -> int:
        """A Pareto variable with index 2, by its quantile function: the least spike over the root of an even draw.

        Roots of integers are the same on any machine.
        """
        even = (_more_bits(bits) >> 44) + 1  # of 1..2^20
        return self.trip.spike_ns * (1 << 20) // isqrt(even << 20)


def _more_bits(bits: int) -> int:
    """64 bits more, for a message that needs them."""
    return int.from_bytes(blake2b(bits.to_bytes(8, "little"), digest_size=8).digest(), "little")


class Network:
    """All links, made at first use; the rules are judged once a link when they change."""

    def __init__(self, topology: Topology, profile: Profile, *, seed: int, inside_region_rtt_ns: int | None) -> None:
        self._topology = topology
        self._profile = profile
        self._run_seed = seed
        self._seed = blake2b(f"{seed}/links".encode(), digest_size=16).digest()
        self._inside_region_rtt_ns = inside_region_rtt_ns
        self._rules: list[tuple[frozenset[NodeId], frozenset[NodeId], LinkRule]] = []  # (sources, targets, rule)
        self._links: dict[NodeId, dict[NodeId, Link]] = {}
        self._trips: dict[tuple[str, str], Trip] = {}  # by regions
        self._minute = 0
        self._detours: dict[tuple[str, str], int] = {}  # of this minute, by regions
        self._touched: Counter[int] = Counter()  # messages by injection of a fault

    def links_from(self, source: NodeId) -> dict[NodeId, Link]:
        """The links of one sender that were used so far, by receiver."""
        links = self._links.get(source)
        if links is None:
            links = self._links[source] = {}
        return links

    def link(self, source: NodeId, target: NodeId) -> Link:
        """The link from one node to another."""
        links = self.links_from(source)
        link = links.get(target)
        if link is None:
            link = links[target] = self._new_link(source, target)
        return link

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        """Let exactly these rules lie over the links from now on."""
        self._rules = [(frozenset(rule.sources), frozenset(rule.targets), rule) for rule in rules]
        for source, links in self._links.items():
            for target, link in links.items():
                if link.touched:
                    for injection in {rule.injection for rule in link.rules}:
                        self._touched[injection] += link.touched
                    link.touched = 0
                self._judge(link, source, target)

    def next_detours_ns(self, now_ns: int) -> int | None:
        """When routes may change next; None if they never do."""
        return (now_ns // MINUTE_NS + 1) * MINUTE_NS if self._profile.detour_share else None

    def take_detours(self, now_ns: int) -> None:
        """A new minute has begun: draw for each route whether it takes a detour."""
        self._minute = now_ns // MINUTE_NS
        self._detours.clear()
        for source, links in self._links.items():
            for target, link in links.items():
                if link.detour_ns != self._detour_ns(source, target):
                    self._judge(link, source, target)

    def _detour_ns(self, source: NodeId, target: NodeId) -> int:
        """By how much a link's route is longer in this minute; the first has no detours."""
        route = self._topology.regions[source], self._topology.regions[target]
        if not self._minute or route[0] == route[1]:
            return 0
        if route not in self._detours:
            draw = stream(self._run_seed, "detour", *route, self._minute)
            self._detours[route] = self._profile.detour_ns(*route, draw)
        return self._detours[route]

    def settled(self) -> list[tuple[int, int]]:
        """The faults that no longer lie over the links, and how many messages each touched; each is told once."""
        at_work = {rule.injection for _, _, rule in self._rules}
        over = sorted(injection for injection in self._touched if injection not in at_work)
        return [(injection, self._touched.pop(injection)) for injection in over]

    def _new_link(self, source: NodeId, target: NodeId) -> Link:
        route = self._topology.regions[source], self._topology.regions[target]
        trip = self._trips.get(route)
        if trip is None:
            trip = self._trips[route] = self._profile.trip(*route, self._inside_region_rtt_ns)
        link = Link(self._seed, (source, target), trip)
        self._judge(link, source, target)
        return link

    def _judge(self, link: Link, source: NodeId, target: NodeId) -> None:
        link.detour_ns = self._detour_ns(source, target)
        link.judge(tuple(rule for sources, targets, rule in self._rules if source in sources and target in targets))
