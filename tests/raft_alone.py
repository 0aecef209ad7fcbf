"""One Raft server on a node that only records: how tests bring it into the state that a sentence speaks of."""

from collections.abc import Sequence

from scenario import FakeNode, command, tell

from actors.message import NodeId
from actors.node import Stored
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import Appended, AppendEntries, RaftSettings, Vote
from actors.settings import Settings
from actors.state.log import Entry, LogId

CLIENT: NodeId = 9


def entry(term: int, serial: int = 0) -> Entry:
    """An entry of this term that writes its serial; serial 0 makes the empty one."""
    return Entry(term, command(1, serial, value=serial) if serial else None)


def entries(*terms: int) -> list[Entry]:
    """A log with entries of these terms, each with a command of its own."""
    return [entry(term, place) for place, term in enumerate(terms, start=1)]


def disk(term: int, log: Sequence[Entry] = (), voted_for: NodeId | None = None) -> Stored:
    return Stored({"term": term, "voted_for": voted_for}, {"log": list(log)})


def raft(
    stored: Stored | None = None, *, servers: int = 3, kind: type[Raft] = Raft, settings: Settings | None = None
) -> tuple[Raft, FakeNode]:
    """A started follower, and its node with nothing recorded since."""
    node = FakeNode(0, servers=servers, clients=10 - servers, disk=stored)
    server = kind(node, settings or RaftSettings())
    server.start()
    node.forget()
    return server, node


def candidate(stored: Stored | None = None, *, servers: int = 3, kind: type[Raft] = Raft) -> tuple[Raft, FakeNode]:
    """A server whose election time-out has just gone off."""
    server, node = raft(stored, servers=servers, kind=kind)
    node.fire(server, "election")
    return server, node


def leader(stored: Stored | None = None, *, servers: int = 3, kind: type[Raft] = Raft) -> tuple[Raft, FakeNode]:
    """A server that has just been elected, by as many votes as it needs."""
    server, node = candidate(stored, servers=servers, kind=kind)
    for voter in range(1, servers // 2 + 1):
        tell(server, voter, Vote(server.term, True))
    assert server.role == "leader"
    return server, node


def heartbeat(server: Raft, sender: NodeId = 1, term: int | None = None, commit: int = 0) -> AppendEntries:
    """A heartbeat that agrees with all of the server's log."""
    return AppendEntries(server.term if term is None else term, server.log.last_id, (), commit)


def append(term: int, previous: tuple[int, int], new: Sequence[Entry], commit: int = 0) -> AppendEntries:
    """AppendEntries behind (term, index)."""
    return AppendEntries(term, LogId(*previous), tuple(new), commit)


def agree(server: Raft, peer: NodeId, match: int) -> None:
    """A follower says that it holds the leader's log up to here."""
    tell(server, peer, Appended(server.term, match))


def terms(server: Raft) -> list[int]:
    return [one.term for one in server.log.entries]
