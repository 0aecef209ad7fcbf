"""Judge a history by the name of a model: what `splitbrain check FILE --model MODEL` does once the file is read."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from experiments.checkers.all_sessions import all_sessions
from experiments.checkers.bank import bank
from experiments.checkers.causal import causal
from experiments.checkers.columns import Columns
from experiments.checkers.convergence import convergence
from experiments.checkers.counter import counter
from experiments.checkers.linearizable import linearizable
from experiments.checkers.linearizable.models import MODELS, UnusableModel, model_named
from experiments.checkers.long_fork import long_fork
from experiments.checkers.monotonic import monotonic
from experiments.checkers.pram import pram
from experiments.checkers.queues import queue
from experiments.checkers.sessions import monotonic_reads, monotonic_writes, read_your_writes, writes_follow_reads
from experiments.checkers.sets import final_set, set_full
from experiments.checkers.staleness import staleness
from experiments.checkers.unique_ids import unique_ids
from experiments.checkers.verdict import Verdict

UNSAID: Any = object()
"""No initial value was named."""

Invariant = Callable[[Columns, Any], Verdict]
"""history, initial value or UNSAID -> verdict"""

INVARIANTS: Mapping[str, Invariant] = {
    "bank": lambda history, initial: bank(history, total=said(initial)),
    "causal": lambda history, initial: causal(history, initial=said(initial)),
    "convergence": lambda history, initial: convergence(history),
    "counter": lambda history, initial: counter(history, initial=said(initial, 0)),
    "long-fork": lambda history, initial: long_fork(history),
    "monotonic": lambda history, initial: monotonic(history),
    "monotonic-reads": lambda history, initial: monotonic_reads(history, initial=said(initial)),
    "monotonic-writes": lambda history, initial: monotonic_writes(history, initial=said(initial)),
    "pram": lambda history, initial: pram(history, initial=said(initial)),
    "queue": lambda history, initial: queue(history, initial=said(initial)),
    "read-your-writes": lambda history, initial: read_your_writes(history, initial=said(initial)),
    "sessions": lambda history, initial: all_sessions(history, initial=said(initial)),
    "set": lambda history, initial: final_set(history, initial=said(initial)),
    "set-full": lambda history, initial: set_full(history, initial=said(initial)),
    "staleness": lambda history, initial: staleness(history, initial=said(initial)),
    "unique-ids": lambda history, initial: unique_ids(history),
    "writes-follow-reads": lambda history, initial: writes_follow_reads(history, initial=said(initial)),
}


def said(initial: Any, default: Any = None) -> Any:
    """The initial value that was named, or the default."""
    return default if initial is UNSAID else initial


def check_initial(model: str, initial: Any) -> None:
    """Raises UnusableModel if an invariant can't begin with a value."""
    if initial is UNSAID or initial is None:
        return
    if model in ("set", "set-full", "queue") and not isinstance(initial, tuple):
        raise UnusableModel(f"{model} can't begin with {initial!r}, which is no list of elements")
    if model == "counter" and not _is_number(initial):
        raise UnusableModel(f"a counter can't begin with {initial!r}, which is no number")
    if model == "bank" and not _is_number(initial) and not _are_balances(initial):
        raise UnusableModel(f"a bank can't begin with {initial!r}, which is neither its total nor its balances")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_balances(value: Any) -> bool:
    if not isinstance(value, tuple):
        return False
    amounts = [pair[1] if isinstance(pair, tuple) and len(pair) == 2 else pair for pair in value]
    return all(map(_is_number, amounts))


class Options(NamedTuple):
    """What the command line says beside the model."""

    initial: Any = UNSAID
    timeout_s: float = 60.0
    clock_bound_ns: int = 0
    name: Callable[[int], str] | None = None


def judge(history: Columns, model: str, options: Options) -> Verdict:
    """The verdict on a history.

    Args:
        model: in `MODELS` (linearizability), in `INVARIANTS`, or `path/to/file.py:ClassName`.

    Raises: UnusableModel and its like (ValueError) if there is no such model, or it does not understand an operation.
    """
    if model in INVARIANTS:
        check_initial(model, options.initial)
        return INVARIANTS[model](history, options.initial)
    if model not in MODELS and ".py:" not in model:
        known = [*MODELS, *INVARIANTS]
        near = get_close_matches(model, known, 1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
        raise UnusableModel(f"there is no model {model!r}; {hint}")
    rules = model_named(model)
    if options.initial is not UNSAID:
        rules = rules.starting_from(options.initial)
    return linearizable(
        history,
        model=rules,
        timeout_s=options.timeout_s,
        clock_bound_ns=options.clock_bound_ns,
        name=options.name,
        called=model,
    )


def document(verdict: Verdict, model: str, *, operations: int, wall_s: float) -> dict[str, Any]:
    """The flat object that `--json` prints."""
    found = verdict.evidence.get("anomalies", {})
    return {
        "valid": verdict.valid,
        "model": model,
        "method": verdict.method,
        "ops": operations,
        "keys": verdict.evidence.get("keys", 1),
        "wall_s": wall_s,
        "anomalies": {"not-linearizable": found} if isinstance(found, list) else found,
        "explanation": verdict.reason,
    }
