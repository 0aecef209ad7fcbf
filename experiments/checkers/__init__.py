"""The checkers that a file can name under `check:`. To add one: its file here, and its line in CHECKERS.

Each is a pure function of a recording's history or events; the lines below say what of a recording it reads.
"""

from collections.abc import Callable

from experiments.checkers import (
    all_sessions,
    bank,
    causal,
    convergence,
    counter,
    election_safety,
    long_fork,
    membership,
    monotonic,
    pram,
    queues,
    raft_safety,
    replicas,
    sessions,
    sets,
    siblings,
    staleness,
    unique_ids,
)
from experiments.checkers.linearizable import recorded
from experiments.checkers.verdict import Verdict
from experiments.recording import Recording

READS_EVENTS = ("raft-safety",)
"""Those that read events besides operations, roles and faults, which `record: history` leaves out."""

CHECKERS: dict[str, Callable[[Recording], Verdict]] = {
    "bank": lambda run: bank.bank(run.history),
    "causal": lambda run: causal.causal(run.history),
    "convergence": lambda run: convergence.convergence(run.history),
    "counter": lambda run: counter.counter(run.history),
    "context-sessions": lambda run: siblings.context_sessions(run.history, run.topology.name),
    "deletes-final": lambda run: siblings.no_resurrection(run.history, run.topology.name),
    "election-safety": lambda run: election_safety.election_safety(run.events, run.topology),
    "linearizable": lambda run: recorded.linearizable_run(
        run.history, clock_bound_ns=run.clock_bound_ns, name=run.topology.name, models=run.models
    ),
    "long-fork": lambda run: long_fork.long_fork(run.history),
    "membership": lambda run: membership.membership(run.events, run.faults, end_ns=run.end_ns, topology=run.topology),
    "monotonic": lambda run: monotonic.monotonic(run.history),
    "monotonic-reads": lambda run: sessions.monotonic_reads(run.history),
    "monotonic-writes": lambda run: sessions.monotonic_writes(run.history),
    "no-false-siblings": lambda run: siblings.no_false_siblings(run.history, run.topology.name),
    "pram": lambda run: pram.pram(run.history),
    "queue": lambda run: queues.queue(run.history),
    "raft-safety": lambda run: raft_safety.raft_safety(run.events, run.topology),
    "read-your-writes": lambda run: sessions.read_your_writes(run.history),
    "replicas-agree": lambda run: replicas.replicas_agree(
        run.events, run.history, run.faults, end_ns=run.end_ns, topology=run.topology
    ),
    "sessions": lambda run: all_sessions.all_sessions(run.history),
    "set": lambda run: sets.final_set(run.history),
    "set-full": lambda run: sets.set_full(run.history),
    "staleness": lambda run: staleness.staleness(run.history),
    "unique-ids": lambda run: unique_ids.unique_ids(run.history),
    "writes-follow-reads": lambda run: sessions.writes_follow_reads(run.history),
    "writes-kept": lambda run: siblings.acknowledged_kept(run.history, run.topology.name),
    "writes-visible": lambda run: siblings.acknowledged_visible(run.history, run.topology.name),
}
