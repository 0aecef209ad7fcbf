"""The checkers that a file can name under `check:`. To add one: its file here, and its line in CHECKERS.

Each is a pure function of a recording's history or events; the lines below say what of a recording it reads.
"""

from collections.abc import Callable

from experiments.checkers import (
    election_safety,
    linearizable,
    membership,
    raft_safety,
    replicas,
    siblings,
)
from experiments.checkers.verdict import Verdict
from experiments.recording import Recording

READS_EVENTS = ("raft-safety",)
"""Those that read events besides operations, roles and faults, which `record: history` leaves out."""

CHECKERS: dict[str, Callable[[Recording], Verdict]] = {
    "election-safety": lambda run: election_safety.election_safety(run.events, run.topology),
    "linearizable": lambda run: linearizable.linearizable(
        run.history, clock_bound_ns=run.clock_bound_ns, name=run.topology.name
    ),
    "deletes-final": lambda run: siblings.no_resurrection(run.history, run.topology.name),
    "membership": lambda run: membership.membership(run.events, run.faults, end_ns=run.end_ns, topology=run.topology),
    "no-false-siblings": lambda run: siblings.no_false_siblings(run.history, run.topology.name),
    "replicas-agree": lambda run: replicas.replicas_agree(
        run.events, run.history, run.faults, end_ns=run.end_ns, topology=run.topology
    ),
    "writes-kept": lambda run: siblings.acknowledged_kept(run.history, run.topology.name),
    "writes-visible": lambda run: siblings.acknowledged_visible(run.history, run.topology.name),
    "raft-safety": lambda run: raft_safety.raft_safety(run.events, run.topology),
}
