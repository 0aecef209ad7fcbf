"""A server's network card as a model: what it sends leaves one message after another, at its bandwidth.

The sending side only: what a receiver's card would hold up is not modelled.
"""

import msgspec

from actors.message import Message, NodeId
from cluster.cpu import size_bytes


class NicModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a card can send."""

    bandwidth_bits_s: int

    def transfer_ns(self, size: int) -> int:
        """How long so many bytes take to leave."""
        return size * 8 * 1_000_000_000 // self.bandwidth_bits_s


class Nics:
    """The cards of a loop's nodes: when each has sent all that it was given."""

    def __init__(self, model: NicModel) -> None:
        self._model = model
        self._free_ns: dict[NodeId, int] = {}

    def leaves_ns(self, node: NodeId, message: Message, now_ns: int) -> int:
        """When a message that a node gives to its card now has left it."""
        begins_ns = max(now_ns, self._free_ns.get(node, 0))
        self._free_ns[node] = left_ns = begins_ns + self._model.transfer_ns(size_bytes(message))
        return left_ns
