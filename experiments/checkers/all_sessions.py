"""All session guarantees at once, with causal consistency and PRAM."""

from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.causal import causal
from experiments.checkers.pram import pram
from experiments.checkers.sessions import GUARANTEES
from experiments.checkers.verdict import Verdict

ALL = {**GUARANTEES, "causal": causal, "pram": pram}


def all_sessions(history: Sequence[Operation], *, initial: Any = None) -> Verdict:
    """Read your writes, monotonic reads, monotonic writes, writes follow reads, causal consistency and PRAM.

    Invalid if one of them is violated, with the anomalies of each by its name; unknown if none is and one is unknown.
    """
    verdicts = {name: checker(history, initial=initial) for name, checker in ALL.items()}
    broken = [name for name, verdict in verdicts.items() if verdict.valid is False]
    unknown = [name for name, verdict in verdicts.items() if verdict.valid == "unknown"]
    tested = [name for name in verdicts if name not in unknown]
    open_ = unknown if not tested or any("can't be judged" in verdicts[name].reason for name in unknown) else []
    reasons = [f"{name}: {verdicts[name].reason}" for name in (broken or open_)]
    return Verdict(
        valid=False if broken else "unknown" if open_ else True,
        checked=max(verdict.checked for verdict in verdicts.values()),
        method="session guarantees one by one",
        reason="; ".join(reasons),
        evidence={
            "keys": max(verdict.evidence["keys"] for verdict in verdicts.values()),
            "anomalies": {name: verdicts[name].evidence["anomalies"] for name in broken},
            "verdicts": {name: verdict.valid for name, verdict in verdicts.items()},
        },
    )
