"""Targets: the words that name nodes in a schedule, resolved when a fault is injected."""

from collections.abc import Callable
from random import Random

from actors.message import NodeId
from cluster.topology import Topology

TARGET_WORDS: dict[str, str] = {
    "all": "every server",
    "leader": "the leader that was elected last and is not known to have stepped down or crashed",
    "follower": "one server that is not the leader, drawn at random",
    "minority": "as many servers as can be missing from a majority, the first ones by name",
    "random": "one server, drawn at random",
    "random minority": "as many servers as can be missing from a majority, drawn at random",
}
"""Besides these: a node's name (n1), a region's name, or a list."""


class NobodyToHit(Exception):
    """A target resolves to nobody at this moment, such as `leader` during an election."""


def resolve(words: tuple[str, ...], topology: Topology, leader: NodeId | None, rng: Random) -> tuple[NodeId, ...]:
    """The servers that these words mean now, in order of id.

    Args:
        words: at least one of TARGET_WORDS, node names, regions.
        leader: the one observed last, None if there is none now.
        rng: the fault's own stream.

    Raises: NobodyToHit if a word means nobody now.
    """
    found: set[NodeId] = set()
    for word in words:
        hit = _resolve_word(word, topology, leader, rng)
        if not hit:
            raise NobodyToHit(f"{word}: nobody is that now")
        found.update(hit)
    return tuple(sorted(found))


def _resolve_word(word: str, topology: Topology, leader: NodeId | None, rng: Random) -> tuple[NodeId, ...]:
    servers = tuple(topology.servers)
    fewer = (len(servers) - 1) // 2
    simple: dict[str, Callable[[], tuple[NodeId, ...]]] = {
        "all": lambda: servers,
        "leader": lambda: () if leader is None else (leader,),
        "follower": lambda: (rng.choice([node for node in servers if node != leader] or [servers[0]]),),
        "minority": lambda: servers[:fewer],
        "random": lambda: (rng.choice(servers),),
        "random minority": lambda: tuple(rng.sample(servers, fewer)),
    }
    if word in simple:
        return simple[word]()
    named = tuple(node for node in servers if topology.name(node) == word)
    return named or topology.servers_in(word)


def is_known(word: str, topology: Topology) -> bool:
    """Whether a word can ever mean a server of this topology."""
    fits = word in TARGET_WORDS and not (word.endswith("minority") and topology.server_count < 3)
    return fits or word in topology.regions or any(topology.name(node) == word for node in topology.servers)


def split_halves(topology: Topology, how: str, rng: Random) -> tuple[tuple[NodeId, ...], tuple[NodeId, ...]]:
    """The servers in two halves, the first one the smaller: drawn at random, or without dividing a region.

    By regions: whole regions, drawn in random order, join the first half while it stays no larger than half.
    """
    servers = list(topology.servers)
    half = len(servers) // 2
    if how == "random":
        first = set(rng.sample(servers, half))
    else:
        regions = sorted({topology.regions[node] for node in servers})
        rng.shuffle(regions)
        first = set()
        for region in regions:
            inside = topology.servers_in(region)
            if not first or len(first) + len(inside) <= half:
                first.update(inside)
    second = tuple(node for node in servers if node not in first)
    return tuple(sorted(first)), second
