"""Membership by gossip: what each node takes the others for, and rumours that ride on whatever messages there are.

Of each node there is one record, made by that node alone but for its health: (incarnation, health) orders records, so
that "suspect" and "dead" beat "alive" of one incarnation, and only the node itself can raise its incarnation and be
alive again. A rumour is sent on about log n times and then dropped.

Source: Das, Gupta, Motivala, "SWIM: scalable weakly-consistent infection-style process group membership protocol",
2002, §4.1-4.2.
"""

from typing import ClassVar, Literal, TypeAlias

from actors.message import Event, Message, NodeId
from actors.node import Actor, Node
from actors.settings import Settings

Health: TypeAlias = Literal["alive", "suspect", "dead"]
Place: TypeAlias = Literal["out", "joining", "normal", "leaving", "left"]

ALIVE, SUSPECT, DEAD = 0, 1, 2
HEALTHS: tuple[Health, ...] = ("alive", "suspect", "dead")
OUT, JOINING, NORMAL, LEAVING, LEFT = range(5)
PLACES: tuple[Place, ...] = ("out", "joining", "normal", "leaving", "left")

RUMOURS_A_MESSAGE = 8
SPREAD = 3  # times log2 n: how often a rumour is passed on


class Rumour(Message, frozen=True):
    """What somebody knows of a node: its health, and where it stands with the ring."""

    node: NodeId
    incarnation: int = 0
    health: int = ALIVE
    place: int = NORMAL
    seat: int = -1  # whose tokens it stands at; -1: its own

    def beats(self, other: "Rumour") -> bool:
        """Whether this is the later news of one node."""
        return (self.incarnation, self.health) > (other.incarnation, other.health)


class Exchange(Message, frozen=True):
    """All that the sender knows of others beyond the beginning; whoever missed rumours learns of it here."""

    rumours: tuple[Rumour, ...]
    answer: bool  # whether the receiver shall tell what it knows


class HealthChanged(Event, frozen=True):
    """The emitting node takes another for this from now on."""

    node: NodeId
    health: Health
    incarnation: int


class PlaceChanged(Event, frozen=True):
    """The emitting node itself stands thus with the ring from now on."""

    place: Place


class Gossip(Actor):
    """Records of all nodes, sparse: who isn't there is alive, at home, in incarnation 0."""

    volatile: ClassVar = {"records": dict[NodeId, Rumour], "spread": dict[NodeId, int], "exchanged": bool}

    def __init__(self, node: Node, settings: Settings) -> None:
        super().__init__(node, settings)
        self.others = tuple(peer for peer in node.peers if peer != node.id)
        self.records: dict[NodeId, Rumour] = {}
        self.spread: dict[NodeId, int] = {}  # how often the record of a node was passed on; absent: no news any more
        self.spread_limit = SPREAD * len(node.peers).bit_length()
        self.exchanged = False  # since this start

    def start(self) -> None:
        """A node that comes back speaks of itself anew, lest old rumours of its death be believed."""
        known = self.node.load().facts.get("gossip")
        if known is not None:
            incarnation, place, seat = known
            self.describe_self(place=place, seat=seat, incarnation=incarnation + 1)
        elif self.node.incarnation:
            self.describe_self()  # its disk is lost: it learns its old incarnation from the rumours of its death

    def initial(self, node: NodeId) -> Rumour:
        """What every node is taken for before any news of it."""
        return Rumour(node)

    def record_of(self, node: NodeId) -> Rumour:
        return self.records.get(node) or self.initial(node)

    def is_up(self, node: NodeId) -> bool:
        """Whether a node counts as healthy: alive, and not under suspicion."""
        record = self.records.get(node)  # asked many times a request: nobody is unhealthy by default
        return record is None or record.health == ALIVE

    def describe_self(self, *, place: int | None = None, seat: int | None = None, incarnation: int = 0) -> None:
        """Say anew what this node is, in a later incarnation than ever before."""
        mine = self.record_of(self.node.id)
        place = mine.place if place is None else place
        seat = mine.seat if seat is None else seat
        incarnation = max(incarnation, mine.incarnation + 1)
        self.node.save(gossip=(incarnation, place, seat))
        self.take_up(Rumour(self.node.id, incarnation, ALIVE, place, seat))
        if place != mine.place:
            self.node.emit(PlaceChanged(PLACES[place]))

    def hear(self, rumours: tuple[Rumour, ...]) -> None:
        """Believe what is news; deny news of this node's own death (§4.2)."""
        for rumour in rumours:
            if rumour.node == self.node.id:
                mine = self.record_of(rumour.node)
                if rumour.beats(mine):
                    self.describe_self(incarnation=rumour.incarnation + 1)
                elif rumour.health != ALIVE:
                    self.spread[rumour.node] = 0  # denied before, but the denial has not come there: say it again
                    self.records.setdefault(rumour.node, mine)
            elif rumour.beats(self.record_of(rumour.node)):
                self.take_up(rumour)

    def take_up(self, rumour: Rumour) -> None:
        """Believe a record and pass it on."""
        former = self.record_of(rumour.node)
        self.records[rumour.node] = rumour
        self.spread[rumour.node] = 0
        if rumour.health != former.health:
            self.node.emit(HealthChanged(rumour.node, HEALTHS[rumour.health], rumour.incarnation))
        self.record_changed(former, rumour)

    def record_changed(self, former: Rumour, rumour: Rumour) -> None:
        """A layer above may want to know."""

    def exchange_with(self, peer: NodeId, *, answer: bool = True) -> None:
        """Tell a node all that is known, whether or not it is news."""
        self.node.send(peer, Exchange(tuple(self.records[node] for node in sorted(self.records)), answer))

    def on_exchange(self, peer: NodeId, exchange: Exchange) -> None:
        self.hear(exchange.rumours)
        if exchange.answer:
            self.exchange_with(peer, answer=False)
        else:
            self.exchanged = True

    def rumours_for(self, peer: NodeId) -> tuple[Rumour, ...]:
        """What rides on a message to a peer: the freshest news, and first what is said of the peer itself."""
        if not self.spread:
            about = self.records.get(peer)
            return (about,) if about is not None and about.health != ALIVE else ()
        fresh = sorted(self.spread, key=lambda node: (self.spread[node], node))[:RUMOURS_A_MESSAGE]
        for node in fresh:
            self.spread[node] += 1
            if self.spread[node] >= self.spread_limit:
                del self.spread[node]
        if peer not in fresh and peer in self.records and self.records[peer].health != ALIVE:
            fresh.insert(0, peer)  # or it could never deny it (Lifeguard's buddy system)
        return tuple(self.records[node] for node in fresh)

    handlers: ClassVar = {Exchange: on_exchange}
    events: ClassVar[tuple[type[Event], ...]] = (HealthChanged, PlaceChanged)
