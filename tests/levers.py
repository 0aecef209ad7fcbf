"""Levers that carry nothing out."""

from cluster.control import Control
from cluster.topology import Topology


class Levers(Control):
    """Levers that write down what is pulled, and when."""

    def __init__(self, topology: Topology) -> None:
        super().__init__(topology)
        self.pulled: list[tuple[int, str, object]] = []
        self.now_ns = 0

    def apply_rules(self, rules):
        self.pulled.append((self.now_ns, "rules", len(rules)))

    def stop_nodes(self, nodes):
        self.pulled.append((self.now_ns, "stop", nodes))

    def start_nodes(self, nodes):
        self.pulled.append((self.now_ns, "start", nodes))

    def pause_nodes(self, nodes):
        self.pulled.append((self.now_ns, "pause", nodes))

    def resume_nodes(self, nodes):
        self.pulled.append((self.now_ns, "resume", nodes))

    def apply_ailments(self, ailments):
        self.pulled.append((self.now_ns, "ail", ailments))

    def deliver(self, nodes, message):
        self.pulled.append((self.now_ns, "deliver", message))
