"""`summary.json`: how a run ended, in the words of the command's contract."""

from typing import Any, Literal

import msgspec

from experiments.checkers.verdict import Verdict

FORMAT = 1
CONTRACT = (
    "run",
    "dir",
    "experiment",
    "variant",
    "fabric",
    "seed",
    "params",
    "digest",
    "verdicts",
    "expect",
    "metrics",
    "messages",
    "wall_s",
    "virtual_s",
)
"""What `--json` prints of a run, in this order."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """An expectation, whether it held, and the value that it was judged by."""

    text: str
    holds: bool | Literal["unknown"]
    value: Any = None


class GroupExpected(Expected, frozen=True, kw_only=True):
    """An expectation that several runs were judged by together: those of these variants, or all."""

    variants: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    format: int = FORMAT
    run: str
    dir: str
    experiment: str
    variant: str | None
    fabric: str
    seed: int
    params: dict[str, Any]
    digest: str | None  # None on Ray
    verdicts: dict[str, Verdict] = {}
    expect: tuple[Expected, ...] = ()
    metrics: dict[str, float] = {}
    messages: int = 0
    wall_s: float = 0.0
    virtual_s: float | None = None
    ok: bool = False
    interrupted: bool = False
    failed: str | None = None  # why the fabric failed
    notes: tuple[str, ...] = ()
    too_small: bool = False  # the machine could not keep up: what the run says of performance says nothing
    start_s: float | None = None  # until all nodes ran, on Ray
    memory_mb: float | None = None  # of the hosts' processes at the end, on Ray

    def contract(self) -> dict[str, Any]:
        """The JSON object of one run that `--json` prints."""
        plain = msgspec.to_builtins(self)
        return {name: plain[name] for name in CONTRACT}
