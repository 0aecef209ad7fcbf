"""What a checker says of a run: valid, invalid or unknown, and why."""

from typing import Any, Literal

import msgspec


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one checker. `unknown` satisfies no expectation: a run that tests nothing has not passed."""

    valid: bool | Literal["unknown"]
    checked: int  # how many operations, leaders, entries, ... it looked at
    method: str = ""  # the algorithm that ran
    reason: str = ""  # one sentence: why it is invalid or unknown, with the nodes and operations named
    evidence: dict[str, Any] = {}  # plain values for programs
