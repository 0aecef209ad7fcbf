"""Transcripts: stories of a Raft cluster in a small language, with what is to be seen after each line.

A line is a command; indented lines under it say what it shows. `#` begins a comment. Nodes are n1, n2, ...

    cluster 5 voters=3 ...     begin; settings as in an experiment file, times in ms
    elect n1 [by n1,n2]        its time-out goes off, and the letters of these are delivered
    stand n1                   its time-out goes off
    fire n1 heartbeat          a timer goes off
    propose n1 x=5             a client's command arrives
    deliver [n1 -> n2] [most]  the letters between these, or all, with the answers they cause on the same way
    exchange n1,n2             all letters among these, until none is left
    lose [n1 -> n2]            letters are lost
    crash n1 [keep]            with what is not synced, but for the first records
    start n1
    slow n1, sync n1           its disk takes its time; it is done
    members n1 voters=n1,n2 learners=n3 [joint] [stay]     an operator asks n1
    leave n1, transfer n1 n2, force n1 n2,n3
    log [n1,n2]                terms of the entries, a bar behind the committed ones
    roles, members?            who leads in which term; who uses which configuration
    mail [n1 -> n2]            letters on their way
    answer x                   what the last client was told
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from raft_cluster import PLAIN, Letter, RaftCluster

from actors.message import NodeId
from actors.protocols.raft import Raft
from actors.protocols.raft_messages import ForceQuorum, LeaveJoint, Reconfigure, TransferLeadership
from actors.state.configuration import Configuration


def node(word: str) -> NodeId:
    return int(word.removeprefix("n")) - 1


def nodes(words: str) -> tuple[NodeId, ...]:
    return tuple(node(word) for word in words.split(",") if word)


def names(found: Any) -> str:
    return ",".join(f"n{one + 1}" for one in found)


class Transcript:
    """Plays one file."""

    def __init__(self, kind: type[Raft] = Raft) -> None:
        self.kind = kind
        self.cluster = RaftCluster(1)
        self.last: Any = None

    def play(self, text: str) -> str:
        """The text again, with what is really to be seen under each command."""
        return "".join(f"{line}\n" for line in self._lines(text))

    def _lines(self, text: str) -> Iterator[str]:
        for line in text.splitlines():
            if line.startswith(" "):
                continue
            yield line
            command = line.partition("#")[0].split()
            if command:
                name = command[0].replace("?", "_now")
                yield from (f"    {shown}".rstrip() for shown in getattr(self, f"do_{name}")(*command[1:]) or ())

    # the cluster

    def do_cluster(self, servers: str, *settings: str) -> None:
        changes = {key: int(value) for key, _, value in (setting.partition("=") for setting in settings) if value}
        flags = {key: True for key, sign, _ in (setting.partition("=") for setting in settings) if not sign}
        plain = msgspec.structs.replace(PLAIN, **changes, **flags)
        self.cluster = RaftCluster(int(servers), kind=self.kind, settings=plain)
        self.cluster.clock_ns = 10**9

    def do_crash(self, who: str, keep: str = "0") -> None:
        self.cluster.crash(node(who), int(keep))

    def do_start(self, who: str) -> None:
        self.cluster.start(node(who))

    def do_slow(self, who: str) -> None:
        self.cluster.nodes[node(who)].slow = True

    def do_sync(self, who: str) -> None:
        self.cluster.nodes[node(who)].slow = False
        self.cluster.nodes[node(who)].sync()

    # time and letters

    def do_stand(self, who: str) -> None:
        self.cluster.fire(node(who), "election")

    def do_elect(self, who: str, _: str = "by", voters: str = "") -> Iterator[str]:
        self.cluster.fire(node(who), "election")
        self.cluster.settle(set(nodes(voters)) | {node(who)} if voters else None)
        return self.do_roles()

    def do_fire(self, who: str, timer: str) -> None:
        self.cluster.fire(node(who), timer)

    def _between(self, words: tuple[str, ...]) -> list[Letter]:
        if len(words) >= 3 and words[1] == "->":
            return self.cluster.letters(node(words[0]), node(words[2]))
        return self.cluster.letters()

    def do_deliver(self, *words: str) -> None:
        most = int(words[-1]) if words and words[-1].isdigit() else len(self.cluster.mail)
        for letter in self._between(words)[:most]:
            self.cluster.deliver(letter)

    def do_exchange(self, who: str) -> None:
        self.cluster.settle(set(nodes(who)))

    def do_lose(self, *words: str) -> None:
        for letter in self._between(words):
            self.cluster.mail.remove(letter)

    def do_mail(self, *words: str) -> Iterator[str]:
        for letter in self._between(words):
            kind = type(letter.message).__name__
            terms = [entry.term for entry in getattr(letter.message, "entries", ())]
            yield f"n{letter.source + 1} -> n{letter.target + 1}: {kind} of term {letter.message.term}" + (  # type: ignore[attr-defined]
                f" with entries of terms {terms}" if terms else ""
            )

    # clients and operators

    def do_propose(self, who: str, what: str) -> None:
        key, _, value = what.partition("=")
        self.last = self.cluster.propose(node(who), value, key=key)

    def do_answer(self) -> Iterator[str]:
        yield str(self.cluster.answer_to(self.last))

    def do_members(self, who: str, *parts: str) -> None:
        named = {key: nodes(value) for key, sign, value in (part.partition("=") for part in parts) if sign}
        request = Reconfigure(
            named["voters"], named.get("learners", ()), joint="joint" in parts, leave="stay" not in parts
        )
        self.cluster.ask(node(who), request)

    def do_leave(self, who: str) -> None:
        self.cluster.ask(node(who), LeaveJoint())

    def do_transfer(self, who: str, to: str) -> None:
        self.cluster.ask(node(who), TransferLeadership(node(to)))

    def do_force(self, who: str, quorum: str) -> None:
        if self.cluster.invariants is not None:
            self.cluster.invariants.forced = True
        self.cluster.ask(node(who), ForceQuorum(nodes(quorum)))

    # what is to be seen

    def do_roles(self) -> Iterator[str]:
        for who, actor in sorted(self.cluster.actors.items()):
            if actor.role != "follower":
                yield f"n{who + 1} is the {actor.role} of term {actor.term}".replace("the candidate", "a candidate")

    def do_log(self, who: str = "") -> Iterator[str]:
        for one in nodes(who) or sorted(self.cluster.actors):
            actor = self.cluster.actors[one]
            shown = [_entry(actor, index) for index in range(actor.log.start + 1, actor.log.last_index + 1)]
            done = actor.commit - actor.log.start
            before = f"[..{actor.log.start}] " if actor.log.start else ""
            yield f"n{one + 1} term {actor.term}: {before}{' '.join([*shown[:done], '|', *shown[done:]])}"

    def do_members_now(self, who: str = "") -> Iterator[str]:
        for one in nodes(who) or sorted(self.cluster.actors):
            now = self.cluster.actors[one].configuration
            joint = f" and {names(now.outgoing)}" if now.is_joint else ""
            learners = f", learners {names(now.learners)}" if now.learners else ""
            yield f"n{one + 1}: {names(now.voters)}{joint}{learners}"


def _entry(actor: Raft, index: int) -> str:
    entry = actor.log[index]
    if isinstance(entry.command, Configuration):
        return f"{entry.term}:members"
    return f"{entry.term}:{entry.command.key}={entry.command.value}" if entry.command else f"{entry.term}:-"


def files() -> list[Path]:
    return sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
