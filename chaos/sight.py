"""What the controller has seen of a run, from emitted events alone: who leads, how far terms and commits are, loads."""

from actors.election import RoleChanged
from actors.history import Invoke, Return
from actors.load import Backlog
from actors.message import Event, NodeId
from cluster.journal import NodeStarted, NodeStopped
from cluster.topology import Topology


class Sight:
    """The state of a cluster as far as its events tell it."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.now_ns = 0  # the time of the last event
        self.leaders: list[NodeId] = []  # who believes to lead, the one elected last at the end
        self.elections = self.changes = 0  # a change: another one is elected than the last time
        self.elected: NodeId | None = None  # the last
        self.term = 0
        self.crashes = self.recoveries = 0
        self.invoked = self.failed = 0  # operations that began; that did not end well
        self.ended = 0
        self.waiting: dict[NodeId, int] = {}  # arrivals without a free client, by client node
        self.committed: dict[NodeId, int] = {}
        self.heard: dict[NodeId, int] = {}  # how much each server has told
        self.last: dict[str, Event] = {}  # of each other kind, by the name of its class
        self._reached: list[tuple[int, int]] = []  # (commit index, when a server was first there), growing

    @property
    def leader(self) -> NodeId | None:
        """The one elected last of those that still believe it."""
        return self.leaders[-1] if self.leaders else None

    def observe(self, node: NodeId, event: Event, time_ns: int) -> None:
        """Take one event in."""
        self.now_ns = max(self.now_ns, time_ns)
        match event:
            case RoleChanged():
                self._role(node, event)
            case NodeStopped():
                self.crashes += 1
                self._forget_leader(node)
                self.committed.pop(node, None)
            case NodeStarted():
                self.recoveries += event.incarnation > 0
            case Invoke():
                self.invoked += 1
            case Return():
                self.ended += 1
                self.failed += event.outcome != "ok"
            case Backlog():
                self.waiting[node] = event.arrivals
            case _:
                self._other(node, event)

    def hottest(self) -> tuple[NodeId, ...]:
        """The server that has told most; nobody before any has."""
        return (max(self.heard, key=lambda node: (self.heard[node], -node)),) if self.heard else ()

    def told(self, kind: str, field: str) -> float:
        """A field of the last event of a kind that any node emitted; nan if there was none, or it is no number."""
        value = getattr(self.last.get(kind), field, None)
        return value if isinstance(value, int | float) else float("nan")

    def lag_ns(self) -> int:
        """For how long the server that is furthest behind has lacked an entry that another committed."""
        behind = min((self.committed.get(node, 0) for node in self.topology.servers), default=0)
        since = next((time_ns for index, time_ns in self._reached if index > behind), None)
        while self._reached and self._reached[0][0] <= behind:
            self._reached.pop(0)
        return 0 if since is None else self.now_ns - since

    def _role(self, node: NodeId, event: RoleChanged) -> None:
        self.term = max(self.term, event.term)
        self._forget_leader(node)
        if event.role == "leader":
            self.leaders.append(node)
            self.elections += 1
            self.changes += self.elected not in (None, node)
            self.elected = node

    def _forget_leader(self, node: NodeId) -> None:
        if node in self.leaders:
            self.leaders.remove(node)

    def _other(self, node: NodeId, event: Event) -> None:
        kind = type(event).__name__
        self.last[kind] = event
        if node in self.topology.servers:
            self.heard[node] = self.heard.get(node, 0) + 1
        if kind == "Committed":
            index: int = event.index  # type: ignore[attr-defined]
            self.committed[node] = index
            if not self._reached or index > self._reached[-1][0]:
                self._reached.append((index, self.now_ns))
