"""What only shows when parts of a file are seen together: regions of a profile, targets, functions, metrics.

Each check yields (path in the file, message).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from actors.context_client import ContextWorkload
from actors.settings import Settings, file_key
from actors.systems import CLIENTS, SYSTEMS
from chaos.faults import FAULTS
from chaos.zoo import MUTANTS
from cluster.latency import Profile, profile_names
from cluster.topology import Topology
from experiments import expect
from experiments.checkers import CHECKERS, READS_EVENTS
from experiments.checkers.linearizable.models import MODELS
from experiments.near_words import did_you_mean
from experiments.spec.models import MAX_NODES, ClaimFile, ClusterFile, ExperimentFile, checks_of
from experiments.spec.parts import (
    NamedWorkload,
    chosen,
    latency_of,
    model_of,
    profile_in,
    regions_of,
    settings_of,
    workloads_of,
)
from experiments.spec.schedule_checks import check_schedule
from experiments.workloads import WORKLOADS

Path: TypeAlias = tuple[str | int, ...]
Finding: TypeAlias = tuple[Path, str]


def check_file(file: ExperimentFile, variants: tuple[str, ...]) -> Iterator[Finding]:
    """All that is wrong with a file whose every value can be read."""
    yield from _cluster(file.cluster)
    yield from _part(("system",), file.system, {name: kind.settings_type for name, kind in SYSTEMS.items()})
    yield from _mutant(file.system)
    yield from _workloads(file)
    yield from _times(file)
    servers = regions_of(file.cluster)
    topology = Topology(servers, len(servers)) if servers else None
    yield from check_schedule(file, topology)
    yield from _names(("check",), checks_of(file), CHECKERS, "checker")
    for number, line in enumerate(file.check):
        if not isinstance(line, str) and line.linearizable.model not in (None, *MODELS):
            there_are = did_you_mean(str(line.linearizable.model), MODELS)
            where: Path = ("check", number, "linearizable", "model")
            yield where, f"there is no model {line.linearizable.model!r}; {there_are}"
    if file.record == "history":
        yield from _unrecorded(file)
    for number, line in enumerate(file.expect):
        yield from _expectation(("expect", number), line, file, variants)
    for number, claim in enumerate(file.claim):
        yield from _claim(("claim", number), claim, file, variants)


def _cluster(cluster: ClusterFile) -> Iterator[Finding]:
    here: Path = ("cluster",)
    if cluster.regions is not None and len(cluster.regions) > MAX_NODES:
        yield (*here, "regions"), f"{len(cluster.regions):,} regions; there are at most {MAX_NODES:,} servers"
        return
    if (cluster.nodes is None) == (cluster.regions is None):
        both = "; leave one out" if cluster.nodes is not None else ""
        yield here, f"say either nodes: 5, or regions: {{us-east-1: 3, eu-west-1: 2}}{both}"
        return
    for region, count in (cluster.regions or {}).items():
        if not 1 <= count <= MAX_NODES:
            yield (*here, "regions", region), f"{count} servers; a region has from 1 to {MAX_NODES:,}"
    counts = (cluster.regions or {}).values()
    if (
        cluster.regions is not None
        and all(1 <= count <= MAX_NODES for count in counts)
        and not 1 <= sum(counts) <= MAX_NODES
    ):
        yield (*here, "regions"), f"there must be from 1 to {MAX_NODES:,} servers in all"
    profile = profile_in(cluster)
    if profile is None:
        name = str(latency_of(cluster))
        yield (*here, "latency"), f"there is no latency profile {name!r}; {did_you_mean(name, profile_names())}"
        return
    yield from _regions(cluster, profile)


def _regions(cluster: ClusterFile, profile: Profile) -> Iterator[Finding]:
    if cluster.regions is None:
        if len(profile.regions) > 1:
            yield (
                ("cluster", "nodes"),
                (
                    f"the profile {profile.name} has {len(profile.regions)} regions; say where the nodes are, "
                    f"such as regions: {{{profile.regions[0]}: {cluster.nodes}}}"
                ),
            )
        return
    for region in cluster.regions:
        if region not in profile.regions:
            yield (
                ("cluster", "regions", region),
                (f"the profile {profile.name} has no region {region!r}; {did_you_mean(region, profile.regions)}"),
            )
    known = [region for region in cluster.regions if region in profile.regions]
    for source in known:
        for target in known:
            if source != target and target not in profile.rtt_ms.get(source, {}):
                yield (
                    ("cluster", "regions", target),
                    f"the profile {profile.name} has no trip from {source} to {target}",
                )


def _part(path: Path, choice: Any, table: Mapping[str, type[Settings]]) -> Iterator[Finding]:
    """A choice of exactly one, with settings that go together."""
    names = chosen(choice, table)
    what = path[-1]
    if len(names) != 1:
        given = f"here are {' and '.join(names)}" if names else f"there are {', '.join(table)}"
        yield path, f"name exactly one {what}; {given}"
        return
    yield from _problems((*path, names[0]), settings_of(table[names[0]], model_of(choice, names[0])))


def _problems(path: Path, settings: Settings) -> Iterator[Finding]:
    """What is wrong with settings, and with those inside them."""
    for field, message in settings.problems():
        yield ((*path, *map(file_key, field.split("."))) if field else path), message
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            yield from _problems((*path, file_key(name)), value)
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if isinstance(item, Settings):
                    yield from _problems((*path, file_key(name), place), item)


def _mutant(system: Any) -> Iterator[Finding]:
    for name in chosen(system, SYSTEMS):
        mutant = getattr(model_of(system, name), "mutant", None)
        known = MUTANTS.get(name, {})
        if mutant is not None and mutant not in known:
            yield ("system", name, "mutant"), f"there is no mutant {mutant!r} of {name}; {did_you_mean(mutant, known)}"


def _workloads(file: ExperimentFile) -> Iterator[Finding]:
    """At least one workload, each with a name of its own and functions that it has."""
    for place, item in enumerate(file.workload if isinstance(file.workload, list) else ()):
        if len(chosen(item, WORKLOADS)) != 1:
            yield ("workload", place), f"name exactly one workload; there are {', '.join(WORKLOADS)}"
    workloads = workloads_of(file)
    if not workloads:
        yield ("workload",), f"name a workload; there are {', '.join(WORKLOADS)}"
    names = [workload.called for workload in workloads]
    for workload in workloads:
        kind = WORKLOADS[workload.kind]
        if names.count(workload.called) > 1:
            yield workload.path, f"two workloads are called {workload.called}; give each a name of its own: name: ..."
        yield from _problems(workload.path, settings_of(kind, workload.model))
        for function in getattr(workload.model, "mix", None) or ():
            if function not in kind.functions:
                there_are = did_you_mean(function, kind.functions)
                yield (*workload.path, "mix", function), f"{workload.kind} has no function {function!r}; {there_are}"
        yield from _understood(file.system, workload)


def _understood(system: Any, workload: NamedWorkload) -> Iterator[Finding]:
    """Whether the system's client knows what the workload asks for."""
    kind = WORKLOADS[workload.kind]
    asked = [function for function, share in (getattr(workload.model, "mix", None) or {}).items() if share]
    for name in chosen(system, SYSTEMS):
        client = CLIENTS.get(name)
        if client is None and issubclass(kind, ContextWorkload):
            yield workload.path, f"{workload.kind} is for stores that give contexts: {', '.join(CLIENTS)}"
        if client is None:
            continue
        for function in asked or kind.functions:
            if function not in client.functions:
                yield workload.path, f"{name} has no function {function!r}; it has {', '.join(client.functions)}"


def _times(file: ExperimentFile) -> Iterator[Finding]:
    if file.duration <= 0:
        yield ("duration",), "a run must last longer than nothing"
    elif file.warm_up >= file.duration:
        yield ("warm_up",), "the warm-up must end before the run does"
    if file.seed[0] + file.repeat > 1 << 63:
        yield ("seed",), f"seeds count up from {file.seed[0]}, and the last of them lies beyond {(1 << 63) - 1}"
    if len(file.seed) > 1 and file.repeat > 1:
        yield ("repeat",), "a list of seeds says how many runs there are; leave repeat out"


def _names(path: Path, names: Iterable[str], table: Iterable[str], what: str) -> Iterator[Finding]:
    for number, name in enumerate(names):
        if name not in table:
            yield (*path, number), f"there is no {what} {name!r}; {did_you_mean(name, table)}"


def _unrecorded(file: ExperimentFile) -> Iterator[Finding]:
    """Checkers that read events which a history alone doesn't hold."""
    for number, name in enumerate(checks_of(file)):
        if name in READS_EVENTS:
            yield ("check", number), f"{name} reads more events than record: history keeps; take record: events"


def _expectation(path: Path, text: str, file: ExperimentFile, variants: tuple[str, ...]) -> Iterator[Finding]:
    try:
        line = expect.parse(text)
    except expect.MalformedExpectation as error:
        yield path, str(error)
        return
    named = (*line.variants, *(reference.variant for reference in line.references if reference.variant))
    for variant in named:
        if variant not in variants:
            yield path, f"there is no variant {variant!r}; {did_you_mean(variant, variants)}"
    if line.checker is not None and line.checker not in CHECKERS:
        yield path, f"there is no checker {line.checker!r}; {did_you_mean(line.checker, CHECKERS)}"
    for reference in line.references:
        yield from _labels(path, reference, file)


def _claim(path: Path, claim: ClaimFile, file: ExperimentFile, variants: tuple[str, ...]) -> Iterator[Finding]:
    try:
        reference = expect.reference(claim.metric)
    except expect.MalformedExpectation as error:
        yield (*path, "metric"), str(error)
        return
    variant, figure = reference.variant, expect.quantity(claim.figure)
    if variant is not None and variant not in variants:
        yield (*path, "metric"), f"there is no variant {variant!r}; {did_you_mean(variant, variants)}"
    if variant is None and len(variants) > 1:
        yield (*path, "metric"), f"say of which variant: {variants[0]}.{claim.metric}"
    if figure.dimension != reference.dimension:
        yield (*path, "figure"), f"{reference.name} is {reference.dimension}, and the figure is {figure.dimension}"
    if claim.verdict == "disagrees" and not claim.because:
        yield path, "say why it disagrees: because: ..."
    yield from _labels((*path, "metric"), reference, file)


def _labels(path: Path, reference: expect.Reference, file: ExperimentFile) -> Iterator[Finding]:
    if not reference.labels:
        return
    functions = [function for workload in workloads_of(file) for function in WORKLOADS[workload.kind].functions]
    known = {"region": list(dict.fromkeys(regions_of(file.cluster))), "op": functions, "fault": list(FAULTS)}
    for part in filter(None, reference.labels[1:-1].split(",")):
        label, _, value = part.partition("=")
        if label in known and value not in known[label]:
            yield (
                path,
                f"{reference.name}{reference.labels}: no {label} is {value!r}; {did_you_mean(value, known[label])}",
            )
