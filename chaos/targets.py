"""Targets: the words that name nodes in a schedule, resolved when a fault is injected."""

import re
from collections.abc import Callable
from random import Random

import msgspec

from actors.message import NodeId
from chaos.fault import NobodyToHit, TooManyDown
from chaos.sight import Sight
from cluster.control import Control
from cluster.topology import Topology

TARGET_WORDS: dict[str, str] = {
    "all": "every server",
    "leader": "the leader that was elected last and is not known to have stepped down or crashed",
    "coordinator": "the same as leader, for systems that call it so",
    "primary": "the same as leader, for systems that call it so",
    "hottest": "the server that has told most of late: commits, changes of its log, and so on",
    "follower": "one server that is not the leader, drawn at random",
    "minority": "as many servers as can be missing from a majority, the first ones by name",
    "majority": "the fewest servers that decide, the first ones by name",
    "random": "one server, drawn at random",
    "random minority": "as many servers as can be missing from a majority, drawn at random",
    "random region": "all servers of one region, drawn at random",
    "random majority": "the fewest servers that decide, drawn at random",
}
"""Besides these: a node's name (n1), a region's name, `random 3`, `not X` (all servers but X), or a list."""

_RANDOM_K = re.compile(r"random (\d{1,5})")
_NOT = "not "


class Aim(msgspec.Struct, frozen=True):
    """What targets are resolved by, at one injection."""

    control: Control
    sight: Sight
    rng: Random  # the fault's own stream
    takes_down: bool = False
    max_affected: int | None = None

    @property
    def topology(self) -> Topology:
        return self.control.topology


def resolve(words: tuple[str, ...], aim: Aim) -> tuple[NodeId, ...]:
    """The servers that these words mean now, in order of id.

    Args:
        words: at least one of TARGET_WORDS, node names, regions, `random k`, `not X`.

    Raises:
        NobodyToHit if a word means nobody now.
        TooManyDown if the fault takes its nodes down, and with those that are down already they would be more than
            `max_affected` allows; without one, more than a minority, unless the words themselves name so many.
    """
    found: set[NodeId] = set()
    for word in words:
        hit = _resolve_word(word, aim)
        if not hit:
            raise NobodyToHit(f"{word}: nobody is that now")
        found.update(hit)
    if aim.takes_down:
        _check_limit(found, aim)
    return tuple(sorted(found))


def _check_limit(nodes: set[NodeId], aim: Aim) -> None:
    servers = aim.topology.servers
    down = {node for node in servers if aim.control.is_down(node) or aim.control.is_paused(node)}
    limit = aim.max_affected
    if limit is None:
        limit = max((len(servers) - 1) // 2, len(nodes))
    together = len(down | nodes)
    if nodes - down and together > limit:
        names = aim.topology.names(nodes)
        raise TooManyDown(f"{names}: {together} of {len(servers)} servers would be down at once; {limit} may be")


def _resolve_word(word: str, aim: Aim) -> tuple[NodeId, ...]:
    topology, rng = aim.topology, aim.rng
    servers, leader = tuple(topology.servers), aim.sight.leader
    fewer = (len(servers) - 1) // 2
    leaders = () if leader is None else (leader,)
    simple: dict[str, Callable[[], tuple[NodeId, ...]]] = {
        "all": lambda: servers,
        "leader": lambda: leaders,
        "coordinator": lambda: leaders,
        "primary": lambda: leaders,
        "hottest": lambda: aim.sight.hottest(),
        "follower": lambda: (rng.choice([node for node in servers if node != leader] or [servers[0]]),),
        "minority": lambda: servers[:fewer],
        "majority": lambda: servers[: len(servers) // 2 + 1],
        "random": lambda: (rng.choice(servers),),
        "random minority": lambda: tuple(rng.sample(servers, fewer)),
        "random region": lambda: topology.servers_in(rng.choice(sorted({topology.regions[node] for node in servers}))),
        "random majority": lambda: tuple(rng.sample(servers, len(servers) // 2 + 1)),
    }
    if word in simple:
        return simple[word]()
    if some := _RANDOM_K.fullmatch(word):
        return tuple(rng.sample(servers, min(int(some[1]), len(servers))))
    if word.startswith(_NOT):
        spared = _resolve_word(word.removeprefix(_NOT), aim)
        return tuple(node for node in servers if node not in spared)
    named = tuple(node for node in servers if topology.name(node) == word)
    return named or topology.servers_in(word)


def is_known(word: str, topology: Topology) -> bool:
    """Whether a word can ever mean a server of this topology."""
    if some := _RANDOM_K.fullmatch(word):
        return 1 <= int(some[1]) <= topology.server_count
    if word.startswith(_NOT):
        return word != "not all" and is_known(word.removeprefix(_NOT), topology)
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
