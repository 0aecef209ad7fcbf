"""`splitbrain bench faults`: every fault on both fabrics, what it was asked to do, and what it was measured to do.

Faults on disjoint nodes share a run. A fault bites if the measure is what was asked for while it lasts, and heals if
the measure is afterwards what it was before; one that changes nothing measurable does not count.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.client import Client, ClientSettings
from actors.settings import MS, SECOND, Settings
from benchmarks.fault_effects import ALONE, CASES, LOAD, PROCESS, Case, Span
from benchmarks.prober import WITNESS, Prober
from chaos.controller import Controller, Step
from chaos.faults import FAULTS
from cluster.fabric import ActorSpec, DiskModel, Setup, load_fabric
from cluster.journal import Entry, FaultHealed, FaultInjected, Traffic, read_journal
from cluster.topology import Topology
from experiments.workloads.register import Register

HERE, THERE = "us-east-1", "eu-west-1"
INJECT_NS, LAST_NS = 2 * SECOND, 3 * SECOND
ENDING_NS = 100 * MS  # before a heal measuring ends, for a fabric takes a while to carry it out
APART_NS, PROCESS_LAST_NS = SECOND, 6 * SECOND  # on Ray: a process takes a second or more to start
SETTLE_NS = 400 * MS  # after an injection or a heal, before measuring begins
LOAD_EVERY_NS = 6 * SECOND
LOAD_CLIENTS = 60


class Outcome(NamedTuple):
    """One fault on one fabric."""

    case: Case
    before: float
    during: float
    after: float
    bites: bool
    heals: bool
    lag_ms: float  # how late handlers ran in this run (p99): far behind, a real machine proves nothing

    def line(self, fabric: str) -> str:
        """A row of the table."""
        case = self.case
        asked = f"{'at least ' if case.at_least else '+' if case.added else ''}{case.asked:g}"
        verdict = (
            "bites, heals" if self.bites and self.heals else "DOES NOT BITE" if not self.bites else "DOES NOT HEAL"
        )
        numbers = f"{self.before:10.4g} {self.during:10.4g} {self.after:10.4g}"
        return f"{case.fault:18} {fabric:4} {asked:>14} {numbers}  {case.what:42} {verdict}"


HEAD = f"{'fault':18} {'on':4} {'asked':>14} {'before':>10} {'measured':>10} {'after':>10}"


def figures(progress: Callable[[str], None]) -> dict[str, float]:
    """How many faults there are, and how many bite and heal on each fabric; the table goes to `progress`."""
    from cluster.live.cluster_start import ray_cluster

    progress(HEAD)
    found: dict[str, float] = {"faults": len(FAULTS), "measured": len(CASES)}
    found["biting_sim"] = _told("sim", progress)
    with ray_cluster(None):
        found["biting_ray"] = _told("ray", progress)
    return found


def _told(fabric: str, progress: Callable[[str], None]) -> int:
    outcomes = []
    for group in (ALONE, PROCESS, LOAD):
        for outcome in outcomes_of(group, fabric):
            progress(outcome.line(fabric))
            outcomes.append(outcome)
    return sum(outcome.bites and outcome.heals for outcome in outcomes)


def outcomes_of(cases: Sequence[Case], fabric: str, *, seed: int = 1) -> list[Outcome]:
    """Run these faults, which are all of one group, in one run of a fabric."""
    setup, steps = load_run(cases, seed) if cases[0] in LOAD else node_run(cases, fabric, seed)
    controller = Controller(steps, seed=seed, duration_ns=setup.duration_ns)
    with tempfile.TemporaryDirectory(prefix="splitbrain-faults-") as folder:
        load_fabric(fabric)(setup, controller, Path(folder), lambda _: None)
        entries = entries_of(setup, Path(folder))
    return [outcome_of(case, entries, setup.duration_ns) for case in cases]


def entries_of(setup: Setup, folder: Path) -> list[Entry]:
    """All that a run has journalled, in order of time."""
    events = tuple(dict.fromkeys(event for spec in setup.actors for event in spec.kind.events))
    journals = sorted((folder / "journal").glob("*.msgpack"))
    return sorted((e for path in journals for e in read_journal(path, events)), key=lambda entry: entry.time_ns)


def node_run(cases: Sequence[Case], fabric: str, seed: int) -> tuple[Setup, tuple[Step, ...]]:
    """A prober for each fault, all hit at the same time; one fault's region is its node's alone."""
    alone = cases[0] in ALONE
    apart_ns, last_ns = (0, LAST_NS) if alone or fabric == "sim" else (APART_NS, PROCESS_LAST_NS)
    last_heal_ns = INJECT_NS + apart_ns * len(cases) + last_ns
    regions = (HERE, *(THERE if "region" in case.settings else HERE for case in cases))
    setup = Setup(
        name="faults",
        seed=seed,
        topology=Topology(regions, len(regions)),
        latency="aws-2025",
        inside_region_rtt_ns=2 * MS,
        disk=DiskModel(fsync_ns=MS, real=False),
        actors=(ActorSpec(Prober, Settings()),) * len(regions),
        duration_ns=last_heal_ns + (3 * SECOND if not apart_ns else 10 * SECOND),
        drain_ns=0,
        density=14 if alone else 1,
    )
    times = (INJECT_NS + apart_ns * place for place in range(len(cases)))
    return setup, tuple(
        step_of(case, f"n{place + 2}", at_ns, last_ns)
        for place, (case, at_ns) in enumerate(zip(cases, times, strict=True))
    )


def step_of(case: Case, node: str, at_ns: int, last_ns: int = LAST_NS) -> Step:
    """The fault on its node."""
    kind = FAULTS[case.fault]
    named = {name: value for name, value in case.settings.items() if value != []}
    for field in msgspec.structs.fields(kind):
        if field.name == "nodes" or (field.name in ("isolate", "region") and field.name in case.settings):
            named[field.name] = [THERE if field.name == "region" else node]
    fault = msgspec.convert(named, kind)
    return Step(case.fault, fault, at_ns, None, last_ns, max_affected=1 << 20)


def load_run(cases: Sequence[Case], seed: int) -> tuple[Setup, tuple[Step, ...]]:
    """Clients of one prober, hit by one fault after another."""
    duration_ns = LOAD_EVERY_NS * len(cases) + 2 * SECOND
    workload = Register(clients=LOAD_CLIENTS, keys=8, rate=40.0, timeout_ns=2 * SECOND)
    clients = ClientSettings(
        name="register",
        workload=workload,
        processes=tuple(range(LOAD_CLIENTS)),
        first_fresh=LOAD_CLIENTS,
        pool=0,
        pools=1,
        stop_after_ns=duration_ns,
    )
    setup = Setup(
        name="faults",
        seed=seed,
        topology=Topology((HERE, HERE), 1),
        latency="aws-2025",
        inside_region_rtt_ns=2 * MS,
        disk=DiskModel(fsync_ns=MS, real=False),
        actors=(ActorSpec(Prober, Settings()), ActorSpec(Client, clients)),
        duration_ns=duration_ns,
        drain_ns=SECOND,
    )
    return setup, tuple(step_of(case, "", INJECT_NS + place * LOAD_EVERY_NS) for place, case in enumerate(cases))


def outcome_of(case: Case, entries: list[Entry], duration_ns: int) -> Outcome:
    """What a fault did, before, while and after it lasted."""
    at_ns, injected = _injection(entries, case)
    end_ns = next(e.time_ns for e in entries if isinstance(e.item, FaultHealed) and e.item.number == injected.number)
    node = WITNESS if case in LOAD else injected.nodes[0]
    begin_ns = injected.planned_ns if case.counts else at_ns + SETTLE_NS
    over_ns = end_ns + LOAD_EVERY_NS - LAST_NS - SECOND if case in LOAD else duration_ns

    def value(begin_ns: int, end_ns: int) -> float:
        return case.measure(Span(entries, node, begin_ns, end_ns))

    before = 0.0 if case.once else value(injected.planned_ns - SECOND, injected.planned_ns)
    during = value(begin_ns, end_ns - ENDING_NS)
    after = before if case.once else value(over_ns - 1500 * MS, over_ns)
    grown = during - before if case.added else during
    as_asked = grown >= case.asked if case.at_least else abs(grown - case.asked) <= case.off
    heals = case.once or abs(after - before) < abs(during - before) / 2
    bites = as_asked and during != before
    return Outcome(case, before, during, after, bites=bites, heals=heals, lag_ms=_lag_ms(entries))


def _lag_ms(entries: list[Entry]) -> float:
    """The worst host's."""
    return max((e.item.lag_p99_ns for e in entries if isinstance(e.item, Traffic)), default=0) / 1e6


def _injection(entries: list[Entry], case: Case) -> tuple[int, FaultInjected]:
    """When a case's fault was injected, and the record of it."""
    injections = ((e.time_ns, e.item) for e in entries if isinstance(e.item, FaultInjected))
    return next((time_ns, item) for time_ns, item in injections if item.fault == case.fault)
