"""What is rarer on a link than loss, duplicates and delay: jitter, reordering, corruption, bursts, bandwidth, flapping.

A message's 64 bits are used up by the common cases; what is needed here is a hash of them, so that no draw shifts.
"""

from collections.abc import Iterable
from typing import NamedTuple

from cluster.control import LinkRule

SHARE = 1 << 20
_MASK = (1 << 64) - 1


class Passage(NamedTuple):
    """What becomes of one message."""

    dropped: bool
    late_ns: int = 0
    overtaken: bool = False  # it leaves the order of its link
    touched: bool = False


class Trouble:
    """The rules over one link, folded, and what they remember between messages."""

    def __init__(self, rules: Iterable[LinkRule], before: "Trouble | None") -> None:
        found = list(rules)
        self.jitter_ns = sum(rule.jitter_ns for rule in found)
        self.reorder = round(max(rule.reorder for rule in found) * SHARE)
        self.reorder_ns = max(rule.reorder_ns for rule in found)
        self.corrupt = round(max(rule.corrupt for rule in found) * SHARE)
        self.bytes_s = min((rule.bytes_s for rule in found if rule.bytes_s), default=0.0)
        self.buffer_ns = _buffer_ns(found)
        self.flap_ns = min((rule.flap_ns for rule in found if rule.flap_ns), default=0)
        self.burst_begins, self.burst_ends = _bursts(max(found, key=lambda rule: rule.burst_loss))
        self._bad: bool = before is not None and before._bad  # in a burst
        self._free_ns: int = before._free_ns if before is not None else 0  # when the line has sent what it took

    def judge(self, bits: int, now_ns: int, size_bytes: int) -> Passage:
        """Decide on one message, by the bits that it drew."""
        more = _mixed(bits)
        if self._in_burst(more & 0xFFFFF) or (more >> 20) & 0xFFFFF < self.corrupt:
            return Passage(dropped=True, touched=True)
        if self.flap_ns and now_ns // self.flap_ns % 2:
            return Passage(dropped=True, touched=True)
        late_ns = self.jitter_ns * (more >> 40) >> 24
        if self.bytes_s:
            if self._free_ns - now_ns > self.buffer_ns:
                return Passage(dropped=True, touched=True)
            late_ns += self._transmit(now_ns, size_bytes)
        again = _mixed(more)
        overtaken = again & 0xFFFFF < self.reorder
        if overtaken:
            late_ns += self.reorder_ns * (again >> 40) >> 24
        return Passage(False, late_ns, overtaken, touched=late_ns > 0 or overtaken)

    def _in_burst(self, draw: int) -> bool:
        """Gilbert's model: a good state that passes all, a bad one that loses all."""
        if self._bad:
            self._bad = draw >= self.burst_ends
        elif self.burst_begins:
            self._bad = draw < self.burst_begins
        return self._bad

    def _transmit(self, now_ns: int, size_bytes: int) -> int:
        """How long a message waits for the line and is on it."""
        self._free_ns = max(now_ns, self._free_ns) + int(size_bytes * 1e9 / self.bytes_s)
        return self._free_ns - now_ns


def trouble_of(rules: tuple[LinkRule, ...], before: Trouble | None) -> Trouble | None:
    """The trouble that these rules make; None if they make none of this kind."""
    if not any(
        rule.jitter_ns or rule.reorder or rule.corrupt or rule.bytes_s or rule.burst_loss or rule.flap_ns
        for rule in rules
    ):
        return None
    return Trouble(rules, before)


def _buffer_ns(rules: Iterable[LinkRule]) -> int:
    """How long the last message that still has room waits, on the slowest of the rules' lines."""
    slow = [rule for rule in rules if rule.bytes_s]
    return int(max((rule.buffer_bytes / rule.bytes_s for rule in slow), default=0) * 1e9)


def _bursts(rule: LinkRule) -> tuple[int, int]:
    """The chances, of SHARE, that a burst begins and that it ends: so that its share of all messages is the rule's."""
    if not rule.burst_loss:
        return 0, SHARE
    ends = 1 / max(1.0, rule.burst_length)
    begins = 1.0 if rule.burst_loss >= 1 else min(1.0, ends * rule.burst_loss / (1 - rule.burst_loss))
    return max(1, round(begins * SHARE)), 0 if rule.burst_loss >= 1 else round(ends * SHARE)


def _mixed(bits: int) -> int:
    """Other 64 bits, as good as drawn anew. Source: Steele, Lea, Flood, "Fast splittable PRNGs", 2014 (splitmix64)."""
    bits = (bits + 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)
