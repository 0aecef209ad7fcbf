"""The anomalies that the checkers find: what each is called in the field, what it means, and which checker sees it.

`splitbrain explain NAME` and `splitbrain list anomalies` read this table. Anomalies of transactions, as Adya and Elle
have them, are not here: no checker of transactions is.
"""

from typing import NamedTuple


class Anomaly(NamedTuple):
    """Something that a history shows and that its system should not have done."""

    meaning: str
    checkers: tuple[str, ...]  # names in CHECKERS, the sharpest first


ANOMALIES: dict[str, Anomaly] = {
    "split-brain": Anomaly(
        "Two nodes lead in one term (or one election), so that both may accept what contradicts the other.",
        ("election-safety", "raft-safety"),
    ),
    "stale-read": Anomaly(
        "A read returns an older value although the write of a newer one had been acknowledged before it began.",
        ("staleness", "linearizable", "writes-visible"),
    ),
    "lost-write": Anomaly(
        "An acknowledged write is gone, and no later write that had seen it took its place.",
        ("linearizable", "writes-kept", "set-full"),
    ),
    "lost-update": Anomaly(
        "Two clients read the same value and write what they made of it; the first write is overwritten unseen.",
        ("linearizable", "writes-kept"),
    ),
    "non-monotonic-read": Anomaly(
        "A process reads an older version than it had read before, as when it is sent to another replica.",
        ("monotonic-reads", "monotonic", "linearizable"),
    ),
    "own-write-missed": Anomaly(
        "A process does not see what it has written itself.", ("read-your-writes", "linearizable")
    ),
    "writes-reordered": Anomaly(
        "Others see the writes of one process in another order than it made them.", ("monotonic-writes", "pram")
    ),
    "cause-missed": Anomaly(
        "An effect is seen without its cause: a process sees a write, but not what its writer had seen before.",
        ("causal", "writes-follow-reads"),
    ),
    "long-fork": Anomaly(
        "Two reads of the same keys disagree on which of two independent writes came first.", ("long-fork",)
    ),
    "divergence": Anomaly(
        "Replicas of one key hold different values for good, with nothing on its way that would mend them.",
        ("convergence", "replicas-agree"),
    ),
    "resurrection": Anomaly(
        "A deleted value comes back, as when its tombstone was collected before every replica had it.",
        ("deletes-final",),
    ),
    "false-sibling": Anomaly(
        "Two versions are kept as concurrent although one of them had been written with the other in view.",
        ("no-false-siblings",),
    ),
    "duplicate-delivery": Anomaly("One element of a queue comes out twice.", ("queue",)),
    "phantom-element": Anomaly("An element comes out that nobody put in.", ("queue", "set", "set-full")),
    "wrong-total": Anomaly("A read of all accounts sees money that appeared or vanished.", ("bank",)),
    "duplicate-id": Anomaly("Two requests for a unique identifier get the same one.", ("unique-ids",)),
}
