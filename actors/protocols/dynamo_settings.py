"""What a file may set of a Dynamo-style store, and what each choice means."""

from typing import Literal

from actors.protocols.swim import SwimSettings
from actors.settings import MS, SECOND, DurationNs, MutantName
from actors.state.consistency import Named
from actors.state.ring import Layout, Partitioner, Spread

HOUR = 3600 * SECOND


class DynamoSettings(SwimSettings, frozen=True):
    """A store of N replicas a key. Every request may name its own level in place of `r` and `w`."""

    n: int = 3  # replicas of each key
    r: int | Named = "quorum"  # whose answers a read waits for
    w: int | Named = "quorum"
    conflicts: Literal["lww", "vv-client", "vv-server", "dvv", "dvvset"] = "dvv"
    quorum: Literal["strict", "sloppy"] = "sloppy"  # sloppy: a stand-in's answer counts for the owner that is down
    timeout_ns: DurationNs = SECOND  # of a coordinator, for its replicas
    storage: Literal["disk", "memory"] = "disk"  # memory: a crash loses the replica, as a lost disk does

    ask: Literal["all", "needed"] = "all"  # which replicas a read asks
    digest_reads: bool = False  # one sends its data, the others a fingerprint
    speculative_retry_ns: DurationNs = 0  # ask one more after this time; 0: never. Only with `ask: needed`
    read_repair: Literal["none", "background", "blocking"] = "background"

    hinted_handoff: bool = True
    handoff_every_ns: DurationNs = 500 * MS
    hint_lifetime_ns: DurationNs = 3 * HOUR
    anti_entropy: Literal["none", "merkle", "full"] = "merkle"
    anti_entropy_every_ns: DurationNs = SECOND
    batch: int = 64  # keys a message of background work; the next batch goes when the last one is answered

    tombstones: Literal["keep", "grace", "confirmed"] = "confirmed"  # when a deleted key is forgotten
    tombstone_grace_ns: DurationNs = 240 * HOUR  # confirmed: and all replicas said that they hold the tombstone
    siblings_warn: int = 25
    siblings_most: int = 100  # a write that would leave more is refused

    detector: Literal["swim", "phi", "none"] = "swim"
    phi_threshold: float = 8.0
    partitions: int = 64
    tokens: int = 16
    spread: Spread = "racks"
    racks: int = 1  # of each region; servers are dealt to them in turn
    partitioner: Partitioner = "ring"

    spares: int = 0  # the last servers, which stand outside the ring at first
    join_after_ns: DurationNs = 0  # when the spares join; 0: never
    join_every_ns: DurationNs = 0  # and how long each waits for the one before it
    replaces: int = 0  # the first spare takes the seat of this server (1 is n1) instead of one of its own; 0: nobody's
    leavers: int = 0  # the first servers, which leave the ring
    leave_after_ns: DurationNs = 0
    ring_delay_ns: DurationNs = 2 * SECOND  # until all have heard of a change; keys move only after that

    clock_error_ns: DurationNs = 0  # servers' wall clocks are off by up to this, either way, each by its own draw
    trace_trips: bool = False  # tell each replica's round trip: what PBS predicts from
    mutant: MutantName | None = None

    def layout(self) -> Layout:
        """How keys are dealt."""
        return Layout(self.n, self.partitions, self.tokens, self.spread, self.partitioner)

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = super().problems()
        least_one = ("n", "batch", "partitions", "tokens", "racks", "siblings_warn", "siblings_most")
        found += [(field, "at least 1 is needed") for field in least_one if getattr(self, field) < 1]
        for field in ("r", "w"):
            level = getattr(self, field)
            if isinstance(level, int) and not 1 <= level <= self.n:
                found.append((field, f"from 1 to n, which is {self.n}; or a level such as quorum"))
        for field in ("timeout_ns", "handoff_every_ns", "anti_entropy_every_ns", "ring_delay_ns", "hint_lifetime_ns"):
            if getattr(self, field) <= 0:
                found.append((field, "a time above 0"))
        if self.partitioner == "range" and self.partitions > 26:
            found.append(("partitions", "by first letter there are at most 26"))
        if self.tombstones != "keep" and self.hinted_handoff and self.tombstone_grace_ns <= self.hint_lifetime_ns:
            found.append(("tombstone_grace_ns", "it must be longer than hint_lifetime, or a hint brings back a delete"))
        if self.r == "any":
            found.append(("r", "any is for writes; a read needs at least one replica"))
        if self.spares < 0 or self.leavers < 0:
            found.append(("spares" if self.spares < 0 else "leavers", "a number of servers from 0 on"))
        return found
