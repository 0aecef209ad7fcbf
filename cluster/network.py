"""Links: when, and whether, a message sent now arrives.

One link a directed pair of nodes, first in, first out. Every message draws exactly 64 bits from its link's own
stream, whatever faults are laid, so that laying or lifting a fault shifts no other draw: 12 bits pick the delay, 20
decide loss, 20 duplication, 12 the duplicate's delay.
"""

from collections import Counter
from hashlib import blake2b
from struct import Struct

from actors.message import NodeId
from cluster.control import LinkRule
from cluster.latency import Profile
from cluster.topology import Topology
from cluster.trouble import Trouble, trouble_of

SHARE = 1 << 20
_EIGHT_DRAWS = Struct("<8Q")


class Link:
    """One directed link. `pass_` is asked once a message."""

    __slots__ = (
        "_block",
        "_draws",
        "_key",
        "_table",
        "bytes_s",
        "delay_ns",
        "drop",
        "duplicate",
        "last_due_ns",
        "loss",
        "rules",
        "sent",
        "touched",
        "trouble",
    )

    def __init__(self, key: bytes, table: tuple[int, ...]) -> None:
        self._key = key
        self._table = table
        self._block: tuple[int, ...] = ()
        self._draws = 0
        self.last_due_ns = 0
        self.sent = 0
        self.drop = False
        self.loss = 0  # of SHARE
        self.duplicate = 0  # of SHARE
        self.delay_ns = 0
        self.bytes_s = 0.0  # 0: no bound; else `pass_` needs the size
        self.rules: tuple[LinkRule, ...] = ()
        self.touched = 0  # messages that the rules dropped, doubled, spoiled or held up
        self.trouble: Trouble | None = None  # what is rarer than loss, duplicates and delay

    def judge(self, rules: tuple[LinkRule, ...]) -> None:
        """Fold the rules that lie over this link: drops win, delays add up, losses combine as chances do."""
        self.rules = rules
        self.trouble = trouble_of(rules, self.trouble)
        self.bytes_s = self.trouble.bytes_s if self.trouble else 0.0
        passing = unique = 1.0
        self.drop = False
        self.delay_ns = 0
        for rule in rules:
            self.drop |= rule.drop
            self.delay_ns += rule.delay_ns
            passing *= 1 - rule.loss
            unique *= 1 - rule.duplicate
        self.loss = round((1 - passing) * SHARE)
        self.duplicate = round((1 - unique) * SHARE)

    def draw(self) -> int:
        """The next 64 bits of this link's stream: block n of eight is a hash of (seed, link, n)."""
        at = self._draws & 7
        if not at:
            digest = blake2b(self._key, salt=(self._draws >> 3).to_bytes(8, "little")).digest()
            self._block = _EIGHT_DRAWS.unpack(digest)
        self._draws += 1
        return self._block[at]

    def pass_(self, now_ns: int, size_bytes: int = 0) -> tuple[int, ...]:
        """When a message sent now arrives: never (), once, or twice. Its size counts where bandwidth is bounded."""
        bits = self.draw()
        if self.drop or (bits >> 12) & 0xFFFFF < self.loss:
            self.touched += 1
            return ()
        due = now_ns + self._table[bits & 0xFFF] + self.delay_ns
        if self.trouble is not None:
            passage = self.trouble.judge(bits, now_ns, size_bytes)
            self.touched += passage.touched
            if passage.dropped:
                return ()
            due += passage.late_ns
            if passage.overtaken:
                return (due,)  # what is sent next may overtake it
        elif self.delay_ns:
            self.touched += 1
        if due < self.last_due_ns:
            due = self.last_due_ns
        self.last_due_ns = due
        if (bits >> 32) & 0xFFFFF < self.duplicate:
            # The copy is late by up to one more trip, and what is sent next may overtake it.
            self.touched += 1
            return due, due + self._table[bits >> 52]
        return (due,)


class Network:
    """All links, made at first use; the rules are judged once a link when they change."""

    def __init__(self, topology: Topology, profile: Profile, *, seed: int, inside_region_rtt_ns: int | None) -> None:
        self._topology = topology
        self._profile = profile
        self._seed = seed
        self._inside_region_rtt_ns = inside_region_rtt_ns
        self._rules: tuple[LinkRule, ...] = ()
        self._links: dict[tuple[NodeId, NodeId], Link] = {}
        self._touched: Counter[int] = Counter()  # by injection

    def link(self, source: NodeId, target: NodeId) -> Link:
        """The link from one node to another."""
        link = self._links.get((source, target))
        if link is None:
            link = self._links[source, target] = self._new_link(source, target)
        return link

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        """Let exactly these rules lie over the links from now on."""
        self._rules = rules
        for (source, target), link in self._links.items():
            if link.touched:
                for injection in {rule.injection for rule in link.rules}:
                    self._touched[injection] += link.touched
                link.touched = 0
            self._judge(link, source, target)

    def settled(self) -> list[tuple[int, int]]:
        """The faults that no longer lie over the links, and how many messages each touched; each is told once."""
        at_work = {rule.injection for rule in self._rules}
        over = sorted(injection for injection in self._touched if injection not in at_work)
        return [(injection, self._touched.pop(injection)) for injection in over]

    def _new_link(self, source: NodeId, target: NodeId) -> Link:
        regions = self._topology.regions
        trip = self._profile.trip(regions[source], regions[target], self._inside_region_rtt_ns)
        link = Link(f"{self._seed}/link/{source}/{target}".encode(), trip.table())
        self._judge(link, source, target)
        return link

    def _judge(self, link: Link, source: NodeId, target: NodeId) -> None:
        link.judge(tuple(rule for rule in self._rules if source in rule.sources and target in rule.targets))
