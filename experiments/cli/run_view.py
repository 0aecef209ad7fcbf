"""What a person reads of a run: operations by region, faults, verdicts, expectations, and what broke."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments import expect
from experiments.checkers.verdict import Verdict
from experiments.claims import JudgedClaim
from experiments.cli.output import plain_table
from experiments.fault_hits import hits
from experiments.judge import Judged
from experiments.metrics import METRICS, recoveries
from experiments.plan import Plan
from experiments.recording import Recording
from experiments.runner import topology_of
from experiments.store import Expected, Summary

GREEN, RED, YELLOW = "green", "red", "yellow"
OPERATION_COLUMNS = {
    "operations": "operations",
    "ok": "ok",
    "failed": "failed",
    "unknown": "unknown_outcomes",
    "p50 ms": "latency_p50_ms",
    "p90 ms": "latency_p90_ms",
    "p99 ms": "latency_p99_ms",
    "max ms": "latency_max_ms",
    "available": "availability",
}
FAULTS_SHOWN = 20


def run_view(out: Console, path: Path, plan: Plan, summary: Summary, *, recording: Recording | None) -> None:
    """Print how a run went."""
    out.print(_headline(plan, summary), soft_wrap=True)
    if summary.metrics:
        out.print()
        out.print(operations_table(plan, summary.metrics))
    if recording is not None and recording.faults:
        out.print()
        out.print(faults_table(recording))
    for remark in remarks(recording) if recording is not None else ():
        out.print(remark, soft_wrap=True)
    out.print()
    out.print(_in_short(summary), soft_wrap=True)
    for note in summary.notes:
        out.print(f"note: {note}", soft_wrap=True)
    if summary.verdicts or summary.expect:
        out.print()
        out.print(verdicts_table(summary.verdicts, summary.expect))
    out.print()
    if not print_broken(out, path, summary):
        out.print(f"record: {near(path)}", soft_wrap=True)


def print_claims(out: Console, claims: Sequence[JudgedClaim]) -> None:
    """Print what a text says beside what was measured; nothing without claims."""
    if not claims:
        return
    table = plain_table("claim", "says", "measured", "", "because")
    for claim in claims:
        style = GREEN if claim.as_declared else RED
        verdict = claim.verdict if claim.as_declared else f"{claim.verdict}, not {claim.declared}"
        table.add_row(claim.id, claim.says, _measured(claim), Text(verdict, style=style), claim.because)
    out.print()
    out.print(table)
    out.print()


def _measured(claim: JudgedClaim) -> str:
    """The median in the metric's own unit."""
    if claim.measured is None:
        return "no value"
    unit = METRICS[expect.reference(claim.metric).name].unit
    return f"{claim.measured:,.4g}{'' if unit in ('count', 'share') else f' {unit}'}"


def print_broken(out: Console, path: Path, judged: Summary | Judged, *, title: str = "") -> bool:
    """Print three lines on what broke: what, the command that replays it, its record. False if nothing did."""
    broken = what_broke(judged)
    if broken:
        out.print(Text(f"{title}broke:  {broken}", style=YELLOW if judged.ok else RED), soft_wrap=True)
        out.print(f"{title}replay: splitbrain run {shlex.quote(near(path / 'plan.json'))}", soft_wrap=True)
        out.print(f"{title}record: {near(path)}", soft_wrap=True)
    return bool(broken)


def operations_table(plan: Plan, metrics: Mapping[str, float]) -> Table:
    """Operations and their latencies by the region of the client, after warm-up."""
    table = plain_table("clients in", *OPERATION_COLUMNS, right=1)
    topology = topology_of(plan)
    regions = list(dict.fromkeys(topology.regions[client] for client in topology.clients))
    for region in regions:
        label = f"[region={region}]"
        table.add_row(region, *(_figure(metrics.get(name + label)) for name in OPERATION_COLUMNS.values()))
    if len(regions) > 1:
        table.add_row("all", *(_figure(metrics.get(name)) for name in OPERATION_COLUMNS.values()), style="bold")
    return table


def faults_table(recording: Recording) -> Table:
    """Each fault that was injected, and how long it took until its victims' work went on."""
    table = plain_table("fault", "hit", "at", "for", "recovery", "messages", "operations")
    rows = zip(recording.faults, recoveries(recording), hits(recording), strict=True)
    for record, recovery, hit in list(rows)[:FAULTS_SHOWN]:
        lasted = "open" if record.healed_ns is None else _seconds(record.healed_ns - record.injected_ns)
        recovered = "none by the end" if recovery.open else _seconds(recovery.recovery_ns)
        cut = (f"{hit.messages:,}", f"{hit.operations:,}")
        table.add_row(record.fault, record.detail, _seconds(record.injected_ns), lasted, recovered, *cut)
    if len(recording.faults) > FAULTS_SHOWN:
        table.add_row("...", f"and {len(recording.faults) - FAULTS_SHOWN} more", *[""] * 5)
    return table


def remarks(recording: Recording) -> Iterator[str]:
    """What of the chaos did not happen, or hit nothing: a run that passes by luck must not look like one that held."""
    idle = [f"{hit.fault.fault} at {_seconds(hit.fault.injected_ns)}" for hit in hits(recording) if hit.nothing]
    if idle:
        more = f" and {len(idle) - FAULTS_SHOWN} more" if len(idle) > FAULTS_SHOWN else ""
        yield f"hit no message, no operation and no node: {', '.join(idle[:FAULTS_SHOWN])}{more}"
    for skipped in recording.skipped[:FAULTS_SHOWN]:
        yield f"not injected: {skipped.fault} at {_seconds(skipped.planned_ns)}: {skipped.reason}"


def verdicts_table(verdicts: dict[str, Verdict], expected: Sequence[Expected]) -> Table:
    """What the checkers and the expectations say."""
    table = plain_table("judged", "", "because")
    for name, verdict in verdicts.items():
        reason = verdict.reason or f"{verdict.checked:,} checked{f' by {verdict.method}' if verdict.method else ''}"
        table.add_row(name, word(verdict.valid), reason)
    for line in expected:
        table.add_row(line.text, word(line.holds, yes="holds", no="violated"), _value(line))
    return table


def what_broke(judged: Summary | Judged) -> str:
    """What is red, in words: invalid verdicts, and what keeps the run from being ok. Empty if nothing is."""
    parts = [
        f"{name}: {verdict.reason or 'invalid'}" for name, verdict in judged.verdicts.items() if verdict.valid is False
    ]
    parts += [f"{line.text} ({_value(line)})" for line in judged.expect if line.holds is not True]
    if judged.ok and parts:
        return "; ".join(parts) + " (as this file expects)"
    unknown = [f"{name}: unknown, {one.reason}" for name, one in judged.verdicts.items() if one.valid == "unknown"]
    return "; ".join(parts) or ("" if judged.ok else "; ".join(unknown))


def word(value: bool | str, *, yes: str = "valid", no: str = "invalid") -> Text:
    """A verdict in one coloured word."""
    if value is True:
        return Text(yes, style=GREEN)
    return Text(no, style=RED) if value is False else Text("unknown", style=YELLOW)


def ended(summary: Summary) -> Text:
    """Whether a run is ok, or what kept it from its end."""
    if summary.failed is not None or summary.interrupted:
        return Text("failed" if summary.failed is not None else "interrupted", style=RED)
    return Text("ok", style=GREEN) if summary.ok else Text("NOT OK", style=RED)


def near(path: Path) -> str:
    """A path as short as it can be typed from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _headline(plan: Plan, summary: Summary) -> Text:
    """Which run this is and how it ended."""
    line = Text(f"{plan.experiment}{f' {plan.variant}' if plan.variant else ''}", style="bold")
    line.append(f"  run {summary.run} on {plan.fabric}, seed {plan.seed}, {_seconds(plan.duration_ns)}  ", style="none")
    line.append_text(ended(summary))
    return line


def _in_short(summary: Summary) -> str:
    """The figures that are no table."""
    parts = []
    for name, shown in (("availability", _share), ("throughput_ops_s", _rate)):
        if name in summary.metrics:
            parts.append(f"{name} {shown(summary.metrics[name])}")
    parts.append(f"{summary.messages:,} messages")
    if summary.start_s is not None:
        parts.append(f"started in {summary.start_s:.1f} s, {summary.memory_mb or 0:,.0f} MB")
    virtual = "" if summary.virtual_s is None else f" ({summary.virtual_s:.1f} s simulated)"
    parts.append(f"{summary.wall_s:.2f} s{virtual}")
    if summary.digest:
        parts.append(f"digest {summary.digest[:16]}")
    return "  ".join(parts)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def _rate(value: float) -> str:
    return f"{value:,.1f}/s"


def _figure(value: float | None) -> str:
    """A cell: a count as it is, a time with a decimal, a small share with four digits."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if value <= 1 else f"{value:,.1f}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _seconds(value_ns: int) -> str:
    return f"{value_ns / 1e9:.3g} s"


def _value(line: Expected) -> str:
    """The value that an expectation was judged by; of many runs or pairs, their range."""
    if line.value is None:
        return "no value"
    if isinstance(line.value, list):
        values = [value for value in line.value if isinstance(value, int | float)]
        if not values:
            return f"{len(line.value)} runs: {', '.join(sorted(set(map(str, line.value))))}"
        return f"{min(values):.4g} to {max(values):.4g} in {len(line.value)} runs or pairs"
    return f"it is {line.value:.4g}" if isinstance(line.value, float) else f"it is {line.value}"
