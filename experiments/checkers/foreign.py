"""Judge a history by the name of a model: what `splitbrain check FILE --model MODEL` does once the file is read."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from experiments.checkers.columns import Columns
from experiments.checkers.linearizable import linearizable
from experiments.checkers.linearizable.models import MODELS, UnusableModel, model_named
from experiments.checkers.verdict import Verdict

UNSAID: Any = object()
"""No initial value was named."""

Invariant = Callable[[Columns, Any], Verdict]
"""history, initial value or UNSAID -> verdict"""

INVARIANTS: Mapping[str, Invariant] = {}


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
