"""Ways to tell which writes of a key supersede which, by name. Pure data: a clock holds the siblings of one key.

`update` is what the replica does that coordinates a write; `sync` merges what two replicas hold. Laws that all of them
keep: sync is commutative, associative and idempotent. What they don't share (no write lost, none kept in vain, size)
is what the experiment `conflict-detection` measures.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

from actors.clocks import dotted, dotted_set, last_write, vector_siblings
from actors.clocks.content import Content, Writer
from actors.clocks.dotted import DottedSiblings
from actors.clocks.dotted_set import DottedSet
from actors.clocks.last_write import LastWrite
from actors.clocks.vector import Context
from actors.clocks.vector_siblings import VectorSiblings


class Siblings(Protocol):
    """What every clock offers."""

    @property
    def siblings(self) -> tuple[Content, ...]:
        """The values that stand side by side, tombstones among them."""

    @property
    def entries(self) -> int:
        """How many (actor, counter) pairs it holds: its size, whatever the values are."""

    def join(self) -> Context:
        """All events that it knows: the context of a client that is given all its siblings."""

    def known(self, actor: int) -> int:
        """The last event of this actor that it knows; 0 if none."""

    def sync(self, other: Self) -> Self:
        """What two replicas know together."""


Clock: TypeAlias = LastWrite | VectorSiblings | DottedSiblings | DottedSet
"""The clocks that may travel in one message; each run uses one of them."""


class Mechanism(NamedTuple):
    """One way to handle conflicts."""

    empty: Clock
    update: Callable[[Any, Context, Content, Writer], tuple[Any, Context]]
    """(clock, what the client had seen, what it writes, who writes) -> (new clock, what the client has seen now)"""


MECHANISMS: dict[str, Mechanism] = {
    "lww": Mechanism(LastWrite(), last_write.update),
    "vv-client": Mechanism(VectorSiblings(), vector_siblings.update_by_client),
    "vv-server": Mechanism(VectorSiblings(), vector_siblings.update_by_server),
    "dvv": Mechanism(DottedSiblings(), dotted.update),
    "dvvset": Mechanism(DottedSet(), dotted_set.update),
}
