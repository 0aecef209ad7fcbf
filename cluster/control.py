"""The levers that a fault may pull, on either fabric.

What is in force is kept here as data (the rules on links, who is down, who is paused, what ails a node); a fabric
carries out each change. Each lever returns its cure, and overlapping faults add up: a node comes back when the
last fault that holds it is over.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import msgspec

from actors.message import Message, NodeId
from cluster.ailment import Ailment, together
from cluster.disk import Damage
from cluster.hosts import pack_hosts
from cluster.topology import Topology

Heal: TypeAlias = Callable[[], None]


class LinkRule(msgspec.Struct, frozen=True, kw_only=True):
    """What happens on every directed link from one of `sources` to one of `targets`, while it is laid."""

    sources: tuple[NodeId, ...]
    targets: tuple[NodeId, ...]
    drop: bool = False
    loss: float = 0.0  # share of the messages, 0..1
    duplicate: float = 0.0  # share of the messages
    delay_ns: int = 0
    jitter_ns: int = 0  # each message is late by a drawn part of this
    reorder: float = 0.0  # share of the messages that those sent later may overtake ...
    reorder_ns: int = 0  # ... for they are late by a drawn part of this
    corrupt: float = 0.0  # share of the messages whose checksum fails where they arrive
    bytes_s: float = 0.0  # bandwidth; 0: no bound ...
    buffer_bytes: int = 64 * 1024  # ... what may wait for it; more is lost
    burst_loss: float = 0.0  # share of the messages lost in bursts ...
    burst_length: float = 1.0  # ... of so many messages on average
    flap_ns: int = 0  # the link is down in every second period of this length
    injection: int = -1  # the fault that laid it, by number


class Control(ABC):
    """The levers. A fabric implements the abstract methods; a fault calls the others."""

    def __init__(self, topology: Topology, density: int = 1) -> None:
        self.topology = topology
        self._hosts = tuple(pack_hosts(topology, density).values())
        self._laid: dict[int, tuple[LinkRule, ...]] = {}
        self._numbers = 0
        self._injection = -1
        self._down: Counter[NodeId] = Counter()
        self._paused: Counter[NodeId] = Counter()
        self._ailments: dict[NodeId, dict[int, Ailment]] = {}
        self._damages: dict[NodeId, Damage] = {}

    @contextmanager
    def injecting(self, injection: int) -> Iterator[None]:
        """What is laid inside belongs to this injection of a fault."""
        before, self._injection = self._injection, injection
        try:
            yield
        finally:
            self._injection = before

    def rules(self) -> tuple[LinkRule, ...]:
        """All rules in force, in the order in which they were laid."""
        return tuple(rule for rules in self._laid.values() for rule in rules)

    def host_mates(self, nodes: Iterable[NodeId]) -> tuple[NodeId, ...]:
        """All nodes of the hosts that these nodes live in, in order of id."""
        asked = set(nodes)
        return tuple(sorted(mate for host in self._hosts if asked & set(host) for mate in host))

    def is_down(self, node: NodeId) -> bool:
        return self._down[node] > 0

    def is_paused(self, node: NodeId) -> bool:
        return self._paused[node] > 0

    def lay(self, rules: tuple[LinkRule, ...]) -> Heal:
        """Lay rules over the links; the cure lifts them."""
        number = self._numbers
        self._numbers += 1
        self._laid[number] = tuple(msgspec.structs.replace(rule, injection=self._injection) for rule in rules)
        self.apply_rules(self.rules())

        def heal() -> None:
            if self._laid.pop(number, None) is not None:
                self.apply_rules(self.rules())

        return heal

    def crash(self, nodes: Iterable[NodeId]) -> Heal:
        """Stop nodes at once: volatile state and what their disks had not synced is lost. The cure restarts them."""
        return self._hold(self._down, tuple(nodes), self.stop_nodes, self.start_nodes)

    def pause(self, nodes: Iterable[NodeId]) -> Heal:
        """Let nodes handle nothing; mail waits, timers fire late. The cure lets them go on."""
        return self._hold(self._paused, tuple(nodes), self.pause_nodes, self.resume_nodes)

    def slow_fsync(self, nodes: Iterable[NodeId], extra_ns: int) -> Heal:
        """Let every fsync that begins from now on take longer."""
        return self.ail(nodes, Ailment(fsync_extra_ns=extra_ns))

    def fsync_extra_ns(self, node: NodeId) -> int:
        """By how much this node's fsyncs are slowed at present."""
        return self.ailment(node).fsync_extra_ns

    def ail(self, nodes: Iterable[NodeId], ailment: Ailment) -> Heal:
        """Let an ailment befall nodes, a restart notwithstanding; the cure takes it away."""
        number, sick = self._numbers, tuple(nodes)
        self._numbers += 1
        for node in sick:
            self._ailments.setdefault(node, {})[number] = ailment
        self.apply_ailments({node: self.ailment(node) for node in sick})

        def heal() -> None:
            for node in sick:
                self._ailments[node].pop(number, None)
            self.apply_ailments({node: self.ailment(node) for node in sick})

        return _once(heal)

    def ailment(self, node: NodeId) -> Ailment:
        """All that ails a node at present."""
        return together(self._ailments.get(node, {}).values())

    def is_starting(self, node: NodeId) -> bool:
        """Whether a node was told to start and has not yet: where a process must be made for it, that takes a while."""
        return False

    def damage(self, nodes: Iterable[NodeId], damage: Damage) -> None:
        """Have the disks of nodes that are down damaged; they find out when they start."""
        self._damages.update(dict.fromkeys(nodes, damage))

    def take_damage(self, node: NodeId) -> Damage | None:
        """What is to be done to a node's disk before it starts; told once."""
        return self._damages.pop(node, None)

    @abstractmethod
    def deliver(self, nodes: tuple[NodeId, ...], message: Message) -> None:
        """Hand a message to these nodes at once, as if from nobody: how clients are told of another load."""

    def _hold(
        self,
        held: Counter[NodeId],
        nodes: tuple[NodeId, ...],
        begin: Callable[[tuple[NodeId, ...]], None],
        end: Callable[[tuple[NodeId, ...]], None],
    ) -> Heal:
        fresh = tuple(node for node in nodes if not held[node])
        held.update(nodes)
        if fresh:
            begin(fresh)

        def release() -> None:
            held.subtract(nodes)
            freed = tuple(node for node in nodes if not held[node])
            if freed:
                end(freed)

        return _once(release)

    @abstractmethod
    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        """From now on exactly these rules lie over the links."""

    @abstractmethod
    def stop_nodes(self, nodes: tuple[NodeId, ...]) -> None: ...

    @abstractmethod
    def start_nodes(self, nodes: tuple[NodeId, ...]) -> None: ...

    @abstractmethod
    def pause_nodes(self, nodes: tuple[NodeId, ...]) -> None: ...

    @abstractmethod
    def resume_nodes(self, nodes: tuple[NodeId, ...]) -> None: ...

    @abstractmethod
    def apply_ailments(self, ailments: dict[NodeId, Ailment]) -> None:
        """From now on this is all that ails these nodes."""


def _once(action: Heal) -> Heal:
    done = False

    def heal() -> None:
        nonlocal done
        if not done:
            done = True
            action()

    return heal
