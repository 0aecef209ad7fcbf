"""The bug zoo: wrong variants of protocols, each one small change away from the right code.

A system's setting `mutant` names one; hunts and checkers must catch it. To add one: its class in the file of its
protocol, and its line in that protocol's table.
"""

from actors.node import Actor
from chaos.zoo import dynamo, raft

MUTANTS: dict[str, dict[str, type[Actor]]] = {"dynamo": dynamo.DYNAMO, "raft": raft.RAFT}
