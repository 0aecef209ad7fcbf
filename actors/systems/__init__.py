"""The systems that a file can name under `system:`. To add one: its file, and its line in SYSTEMS."""

from actors.client import Client
from actors.context_client import ContextClient
from actors.node import Actor
from actors.protocols import bully, dynamo, gossip, raft

SYSTEMS: dict[str, type[Actor]] = {
    "bully": bully.Bully,
    "dynamo": dynamo.Dynamo,
    "gossip": gossip.Gossip,
    "raft": raft.Raft,
}

CLIENTS: dict[str, type[Client]] = {"dynamo": ContextClient}
"""The client of a system's own, for those that `Client` can't talk to."""
