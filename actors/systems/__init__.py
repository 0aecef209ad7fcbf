"""The systems that a file can name under `system:`. To add one: its file, and its line in SYSTEMS."""

from actors.node import Actor
from actors.protocols import bully, raft

SYSTEMS: dict[str, type[Actor]] = {
    "bully": bully.Bully,
    "raft": raft.Raft,
}
