"""One server of a Dynamo-style store on a node that only records."""

from typing import Any

from scenario import FakeNode

from actors.node import Stored
from actors.protocols.dynamo import Dynamo
from actors.protocols.dynamo_settings import DynamoSettings

KEY = "k1"


def server(place: int = 0, *, key: str = KEY, servers: int = 5, disk: Stored | None = None, **settings: Any) -> Any:
    """(actor, node): the server at this place of the key's preference list; from 3 on, those that may stand in."""
    settings_ = DynamoSettings(**{"quorum": "strict", **settings})
    order = preference(key, servers=servers, **settings)
    node = FakeNode(order[place], servers=servers, clients=1, disk=disk)
    actor = Dynamo(node, settings_)
    actor.start()
    node.forget()
    return actor, node


def preference(key: str = KEY, *, servers: int = 5, **settings: Any) -> tuple[int, ...]:
    """All servers in the order in which the key prefers them."""
    probe = Dynamo(FakeNode(0, servers=servers, clients=1), DynamoSettings(**{"quorum": "strict", **settings}))
    partition = probe.partition(key)
    return probe.ring.owners(partition) + probe.ring.stand_ins(partition)
