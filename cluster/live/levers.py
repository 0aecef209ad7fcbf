"""The levers over real hosts: what a fault asks for becomes calls to the fleet."""

from collections.abc import Callable
from typing import Any

import ray

from actors.message import Event, Message, NodeId
from cluster.ailment import Ailment
from cluster.control import Control, LinkRule
from cluster.disk import Damage
from cluster.fabric import Setup
from cluster.journal import NodeStopped
from cluster.live.fleet import CALL_TIMEOUT_S, Berth, Fleet


class LiveControl(Control):
    """The levers of the Ray fabric."""

    def __init__(self, setup: Setup, fleet: Fleet, publish: Callable[[NodeId, Event], None]) -> None:
        super().__init__(setup.topology, setup.density)
        self._fleet = fleet
        self._publish = publish
        self._starting: set[NodeId] = set()  # told to start, and not up yet

    def apply_rules(self, rules: tuple[LinkRule, ...]) -> None:
        self._fleet.tell_all("apply_rules", rules)

    def stop_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._fleet.in_lanes(nodes, self._stop, wait=True)

    def is_starting(self, node: NodeId) -> bool:
        return node in self._starting

    def start_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._starting.update(nodes)
        self._fleet.in_lanes(nodes, self._start, wait=False)

    def pause_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._fleet.tell_hosts_of(nodes, "pause", nodes)

    def resume_nodes(self, nodes: tuple[NodeId, ...]) -> None:
        self._fleet.tell_hosts_of(nodes, "resume", nodes)

    def apply_ailments(self, ailments: dict[NodeId, Ailment]) -> None:
        self._fleet.tell_hosts_of(ailments, "change_ailments", ailments)

    def deliver(self, nodes: tuple[NodeId, ...], message: Message) -> None:
        self._fleet.tell_hosts_of(nodes, "deliver", nodes, message)

    def _stop(self, berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        """Drop nodes in their host's loop while others of it run on; kill its process if they are the last."""
        if berth.actor is None:
            return  # it is gone for good
        if berth.up - set(nodes):
            berth.up.difference_update(nodes)
            ray.get(berth.actor.crash_nodes.remote(nodes), timeout=CALL_TIMEOUT_S)
            return
        self._fleet.kill(berth)
        for node in nodes:
            self._publish(node, NodeStopped(killed_process=True))

    def _start(self, berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        try:
            self._start_up(berth, nodes)
        finally:
            self._starting.difference_update(nodes)

    def _start_up(self, berth: Berth, nodes: tuple[NodeId, ...]) -> None:
        if berth.actor is not None:
            berth.actor.damage.remote(self._damages_of(nodes))
            self._fleet.start_in(berth, nodes)
        elif berth.spare is not None:
            self._fleet.revive(berth, nodes, lambda actor: self.prepare(actor, berth.place.nodes))
        else:
            return  # it is gone for good
        paused = tuple(node for node in nodes if self.is_paused(node))
        if paused:
            berth.actor.pause.remote(paused)

    def prepare(self, actor: Any, nodes: tuple[NodeId, ...]) -> None:
        """Tell a new process what is in force, ahead of its start: its calls are carried out in order."""
        actor.apply_rules.remote(self.rules())
        actor.change_ailments.remote({node: self.ailment(node) for node in nodes})
        actor.damage.remote(self._damages_of(nodes))

    def _damages_of(self, nodes: tuple[NodeId, ...]) -> dict[NodeId, Damage]:
        found = {node: self.take_damage(node) for node in nodes}
        return {node: damage for node, damage in found.items() if damage is not None}
