"""Money that is only moved about: all that a read sees adds up to the same, and nobody owes."""

from collections.abc import Sequence
from typing import Any

from actors.history import Operation
from experiments.checkers.anomalies import named, verdict_of
from experiments.checkers.verdict import Verdict

READS = ("read", "txn")


def bank(history: Sequence[Operation], *, total: Any = None, negative: bool = False) -> Verdict:
    """Every read of all accounts sees the same total, and no account below zero.

    Sound: each case is one of the history. Complete for the invariant as it stands, not for isolation: reads that miss
    a whole transfer add up all the same.

    Args:
        total: what the accounts hold together: a number, or their first balances; None: what the first read saw.
        negative: whether accounts may be overdrawn.
    """
    reads = [(place, one, balances(one)) for place, one in enumerate(history) if _is_read(one)]
    told = [(place, one, held) for place, one, held in reads if held]
    due = _sum(total) if total is not None else _sum(told[0][2]) if told else 0
    found: dict[str, list[Any]] = {"wrong-total": [], "negative": [], "missing": []}
    accounts = {name for _, _, held in told for name, _ in held}
    for place, one, held in told:
        case = {"operation": place, "balances": [list(pair) for pair in held]}
        if any(amount is None for _, amount in held) or {name for name, _ in held} != accounts:
            found["missing"].append(case | {"what": f"{named(one, place)} misses an account"})
        elif _sum(held) != due:
            found["wrong-total"].append(case | {"what": f"{named(one, place)} adds up to {_sum(held)}, not to {due}"})
        below = [name for name, amount in held if amount is not None and amount < 0]
        if below and not negative:
            found["negative"].append(case | {"what": f"{named(one, place)} sees {below[0]!r} below zero"})
    unknown = "" if told else "nobody read the accounts"
    return verdict_of(found, checked=len(told), method="the sum of every read", unknown=unknown, total=due, keys=1)


def _is_read(one: Operation) -> bool:
    return one.outcome == "ok" and one.function in READS and isinstance(one.result, tuple)


def balances(one: Operation) -> tuple[tuple[Any, Any], ...]:
    """(account, amount) of each account that a read saw: of a map, a list of amounts, or micro-operations."""
    held: Any = one.result
    if all(isinstance(item, tuple) and len(item) == 3 and item[0] in ("r", "read") for item in held):
        return tuple((account, _amount(amount)) for _, account, amount in held)
    if all(isinstance(item, tuple) and len(item) == 2 for item in held):
        return tuple((account, _amount(amount)) for account, amount in held)
    if all(isinstance(item, int | float | None) for item in held):
        return tuple((account, _amount(amount)) for account, amount in enumerate(held))
    return ()


def _amount(amount: Any) -> Any:
    return amount if isinstance(amount, int | float) and not isinstance(amount, bool) else None


def _sum(held: Any) -> Any:
    if isinstance(held, tuple):
        return sum(pair[1] if isinstance(pair, tuple) else pair for pair in held)
    return held
