"""`splitbrain replay`: run it again on the simulator, bit for bit, up to a moment, and look into its nodes."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from actors.message import NodeId
from cluster.sim.replay import Around, Glimpse, ReplayLoop, UnknownAttribute, Watched, glimpse, replay, text
from cluster.topology import Topology
from experiments import runner
from experiments.cli.output import NOT_OK, OK, Answer, answering, store_option
from experiments.near_words import did_you_mean
from experiments.plan import Plan
from experiments.request import BadRequest, Changes, plans_of
from experiments.spec.quantities import duration_ns
from experiments.store import StoreError, find_run


@click.command(name="replay")
@click.argument("target")
@click.option("--until", metavar="TIME", help="Stop at this time of the run, such as 12.3s, and show its nodes.")
@click.option("--node", metavar="NODE", help="Show this node alone, and all there is of it: n2, c1.")
@click.option("--around", metavar="EVENT", help="Show what happened about an event (its number) or a time.")
@click.option("--watch", metavar="NODE.NAME", help="Show every change of a part of a node's state: n2.term.")
@store_option
@answering
def replay_command(
    target: str, store: Path, *, until: str | None, node: str | None, around: str | None, watch: str | None
) -> Answer:
    """Run it again up to a moment, and look into its nodes.

    TARGET is the name of a run, a plan.json or an experiment file (its first run). Without options it runs to its end,
    and tells whether it was the same run.
    """
    plan = plans_of(target, store, Changes(fabric="sim")).plans[0]
    topology = runner.topology_of(plan)
    nodes = range(len(topology.regions)) if node is None else [node_of(node, topology)]
    until_ns = None if until is None else _time(until, "--until")
    director = runner.controller_of(plan)
    loop = ReplayLoop(
        runner.setup_of(plan, name="replay"),
        director,
        around=None if around is None else _around(around),
        watched=None if watch is None else _watched(watch, topology),
    )
    try:
        replay(loop, director, until_ns=until_ns)
    except UnknownAttribute as error:
        raise _unknown(error, watch or "", plan) from error
    if around is not None:
        return _window(loop, around)
    if watch is not None:
        return _changes(loop, watch)
    if until is None and node is None:
        return _same(loop, _recorded_digest(target, store))
    return _glimpses(loop, [glimpse(loop, one) for one in nodes], whole=node is not None)


def node_of(name: str, topology: Topology) -> NodeId:
    """A node by its name. Raises BadRequest."""
    names = [topology.name(node) for node in range(len(topology.regions))]
    if name not in names:
        raise BadRequest(f"no node {name!r}; {did_you_mean(name, names)}")
    return names.index(name)


def _time(given: str, option: str) -> int:
    try:
        return duration_ns(given)
    except ValueError as error:
        raise BadRequest(f"{option} {given}: {error}") from error


def _around(given: str) -> Around:
    number = given.removeprefix("#")
    return Around(number=int(number)) if number.isdigit() else Around(time_ns=_time(given, "--around"))


def _watched(given: str, topology: Topology) -> Watched:
    name, dot, attribute = given.partition(".")
    if not dot or not attribute:
        raise BadRequest(f"--watch {given}: write it as NODE.NAME, such as n2.term")
    return Watched(node_of(name, topology), attribute)


def _unknown(error: UnknownAttribute, watch: str, plan: Plan) -> BadRequest:
    known = runner.system_class(plan).volatile
    return BadRequest(f"--watch {watch}: nothing is called {error}; {did_you_mean(str(error), known)}")


def _recorded_digest(target: str, store: Path) -> str | None:
    """The digest of the run that is replayed; None if it is a file, or ran on Ray."""
    if Path(target).is_file():
        return None
    try:
        stored = find_run(store, target)
    except StoreError:
        return None
    return None if stored.summary is None else stored.summary.digest


def _same(loop: ReplayLoop, recorded: str | None) -> Answer:
    digest = loop.hexdigest()
    same = None if recorded is None else digest == recorded

    def view(out: Console) -> None:
        told = {None: "there is no recorded digest to compare with", True: "the same run", False: f"not {recorded}"}
        out.print(f"{loop.reel.count:,} events, {loop.delivered:,} messages, digest {digest}: {told[same]}")

    document = {"digest": digest, "recorded": recorded, "same": same, "events": loop.reel.count}
    return Answer(document, view, NOT_OK if same is False else OK)


def _window(loop: ReplayLoop, around: str) -> Answer:
    name = loop.setup.topology.name
    if loop.reel.moment is None:
        raise BadRequest(f"--around {around}: the run has only {loop.reel.count} events and ends before")
    lines = [text(one, _who(one.line.node, name)) for one in loop.reel.window]

    def view(out: Console) -> None:
        for one, line in zip(loop.reel.window, lines, strict=True):
            out.print(f"{'>' if one.number == loop.reel.moment else ' '} {line}", soft_wrap=True)

    return Answer({"moment": loop.reel.moment, "events": lines}, view)


def _who(node: NodeId, name: Any) -> str:
    return "the fabric" if node < 0 else str(name(node))


def _changes(loop: ReplayLoop, watch: str) -> Answer:
    name = watch.partition(".")[0]
    changes = [
        {
            "time_ms": change.time_ns / 1e6,
            "old": change.old,
            "new": change.new,
            "by": None if change.by is None else text(change.by, name),
        }
        for change in loop.changes
    ]

    def view(out: Console) -> None:
        for change in changes:
            out.print(
                f"{change['time_ms']:12.6f} ms  {change['old']} -> {change['new']}  by {change['by']}", soft_wrap=True
            )
        out.print(f"{len(changes)} changes of {watch}")

    return Answer({"watch": watch, "changes": changes}, view)


def _glimpses(loop: ReplayLoop, seen: list[Glimpse], *, whole: bool) -> Answer:
    def view(out: Console) -> None:
        out.print(f"at {loop.now_ns / 1e6:.6f} ms, after {loop.reel.count:,} events")
        for one in seen:
            for line in _told(one) if whole else [_in_a_line(one)]:
                out.print(line, soft_wrap=True)

    document = {"time_ms": loop.now_ns / 1e6, "nodes": {one.node: msgspec.to_builtins(one) for one in seen}}
    return Answer(document, view)


def _in_a_line(one: Glimpse) -> str:
    if not one.up:
        return f"{one.node}  down, {len(one.coming)} messages on their way to it"
    short = {name: value for name, value in (one.state or {}).items() if isinstance(value, int | str | None)}
    words = ", ".join(f"{name} {value}" for name, value in short.items())
    return f"{one.node}  {'paused, ' if one.paused else ''}{words}; {len(one.coming)} messages on their way"


def _told(one: Glimpse) -> list[str]:
    """All there is of a node, for people."""
    state = [f"  {name}: {value}" for name, value in (one.state or {}).items()]
    timers = [f"  {name} at {due_ns / 1e6:.6f} ms" for name, due_ns in one.timers.items()]
    disk = [f"  {name}: {value}" for name, value in one.disk.items()]
    up = (
        f"{one.node}, incarnation {one.incarnation}{', paused' if one.paused else ''}"
        if one.up
        else f"{one.node}, down"
    )
    parts = [("state", state), ("timers", timers), ("disk", disk), ("waiting", one.waiting), ("on its way", one.coming)]
    told = [up]
    for title, lines in [*parts, ("last events", one.last)]:
        told += [f"{title}:", *(f"  {line.strip()}" for line in lines or ["nothing"])]
    return told
