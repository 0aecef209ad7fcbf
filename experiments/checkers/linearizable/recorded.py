"""The history of a run, each workload's held against that workload's model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors.history import Operation
from actors.message import NodeId
from experiments.checkers.linearizable.checker import linearizable
from experiments.checkers.verdict import Verdict
from experiments.workloads import WORKLOADS

MODEL = "kv"  # of a workload that the table does not know by this name


def linearizable_run(
    history: Sequence[Operation],
    *,
    clock_bound_ns: int = 0,
    name: Callable[[NodeId], str] | None = None,
    models: Mapping[str, str] | None = None,
) -> Verdict:
    """Whether every operation seems to take effect at one moment of its interval, by the models of the workloads.

    See `linearizable` for what that means and how it is decided. Workloads with one model are judged together. Where
    there are several, the numbers of operations count within the workloads that share a model.

    Args:
        models: workload -> model; None: as its class says.
    """
    known = {one.workload: model_of(one.workload, models or {}) for one in history}
    parts: dict[str, list[Operation]] = {model: [] for model in known.values()}
    for one in history:
        parts[known[one.workload]].append(one)
    verdicts = {
        model: linearizable(part, model=model, clock_bound_ns=clock_bound_ns, name=name)
        for model, part in parts.items()
    }
    if len(verdicts) < 2:
        return next(iter(verdicts.values()), linearizable(history))
    return _together(verdicts)


def model_of(workload: str, models: Mapping[str, str]) -> str:
    """The model of a workload by its name in the experiment."""
    kind = WORKLOADS.get(workload)
    return models.get(workload) or (kind.model if kind is not None else MODEL)


def _together(verdicts: Mapping[str, Verdict]) -> Verdict:
    """One verdict of those by several models: invalid if one is, else unknown if one is."""
    broken = [model for model, verdict in verdicts.items() if verdict.valid is False]
    unknown = [model for model, verdict in verdicts.items() if verdict.valid == "unknown"]
    evidence: dict[str, Any] = {"models": {model: verdict.evidence for model, verdict in verdicts.items()}}
    evidence["anomalies"] = [case for model in broken for case in verdicts[model].evidence["anomalies"]]
    return Verdict(
        valid=False if broken else "unknown" if unknown else True,
        checked=sum(verdict.checked for verdict in verdicts.values()),
        method="; ".join(f"{model}: {verdict.method}" for model, verdict in verdicts.items()),
        reason="; ".join(f"{model}: {verdicts[model].reason}" for model in broken or unknown),
        evidence=evidence,
    )
