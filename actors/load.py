"""What clients are told to do differently while a load fault lasts, and what they tell of their own load."""

from actors.message import Event, Message


class Load(Message, frozen=True):
    """From now on: this instead of what the workload says. The defaults are the workload as it is."""

    rate_factor: float = 1.0  # arrivals of an open loop come this many times as often
    hot_key: str | None = None  # this share of the operations goes to one key
    hot_share: float = 0.0
    pause_ns: int = 0  # a process waits this long between an answer and its next operation
    retry_after_ns: int = 0  # above 0: every so often, send what is not answered again
    reconnect: bool = False  # once, now: everybody sends all that is open again, at the same moment


class Backlog(Event, frozen=True):
    """So many arrivals wait for a free process of this client node. Told at powers of two on the way up, and at 0."""

    arrivals: int
