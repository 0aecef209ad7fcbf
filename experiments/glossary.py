"""What splitbrain knows by name: the tables behind `list WHAT` and `explain TERM`, read from docstrings."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors.settings import Settings, file_key
from actors.systems import SYSTEMS
from chaos.faults import FAULTS
from chaos.targets import TARGET_WORDS
from chaos.zoo import MUTANTS
from cluster.latency import load_profile, profile_names
from experiments.anomalies import ANOMALIES
from experiments.checkers import CHECKERS
from experiments.metrics import METRICS
from experiments.spec.document import read_tree
from experiments.spec.written import default_text, purposes, wanted
from experiments.workloads import WORKLOADS

CATALOG = Path(__file__).with_name("catalog")


class Term(NamedTuple):
    """Something that has a name."""

    kind: str  # singular: fault, checker, ...
    name: str
    line: str  # in one sentence
    paragraph: str
    settings: type[Settings] | None = None


def systems() -> Iterator[Term]:
    """What can run on the servers."""
    for name, kind in SYSTEMS.items():
        module = inspect.getmodule(kind)
        yield _term("system", name, (module and module.__doc__) or kind.__doc__, kind.settings_type)


def faults() -> Iterator[Term]:
    """What a schedule can break."""
    for name, kind in FAULTS.items():
        yield _term("fault", name, kind.__doc__, kind)


def workloads() -> Iterator[Term]:
    """What clients can do."""
    for name, kind in WORKLOADS.items():
        module = inspect.getmodule(kind)
        yield _term("workload", name, (module and module.__doc__) or kind.__doc__, kind)


def checkers() -> Iterator[Term]:
    """What can judge a run."""
    for name, checker in CHECKERS.items():
        yield _term("checker", name, inspect.getdoc(_behind(checker)))


def metrics() -> Iterator[Term]:
    """What is measured of a run."""
    for name, metric in METRICS.items():
        labels = f"; also by {', '.join(metric.labels)}" if metric.labels else ""
        better = f" {metric.better.capitalize()} is better." if metric.better else ""
        least = f"{metric.least:.3g}" if metric.least_is == "absolute" else f"{metric.least:.1%}"
        matters = f" A difference below {least} does not matter." if metric.least else ""
        line = f"{metric.formula} ({metric.unit}{labels})"
        yield Term("metric", name, line, f"{line}.{better}{matters}")


def profiles() -> Iterator[Term]:
    """The latency profiles that come along."""
    for name in profile_names():
        profile = load_profile(name)
        regions = ", ".join(profile.regions)
        more = f"{profile.description} Source: {profile.source} ({profile.date}). Regions: {regions}."
        yield Term("profile", name, f"{profile.description} {len(profile.regions)} regions.", more)


def mutants() -> Iterator[Term]:
    """The wrong variants of systems."""
    for system, kinds in MUTANTS.items():
        for name, kind in kinds.items():
            term = _term("mutant", name, kind.__doc__)
            yield term._replace(line=f"{system}: {term.line}", paragraph=f"A wrong {system}. {term.paragraph}")


def experiments() -> Iterator[Term]:
    """The catalogue."""
    for path in sorted(CATALOG.glob("*.yaml")):
        described = read_tree(path).plain().get("description", "")
        yield Term("experiment", path.stem, described, f"{described}\n\nRun it: splitbrain run {path_of(path.stem)}")


def targets() -> Iterator[Term]:
    """The words that name nodes."""
    for word, meaning in TARGET_WORDS.items():
        yield Term("target", word, meaning, f"As a target, {word} means {meaning}.")


def anomalies() -> Iterator[Term]:
    """What checkers find."""
    for name, anomaly in ANOMALIES.items():
        by = ", ".join(anomaly.checkers)
        yield Term("anomaly", name, anomaly.meaning, f"{anomaly.meaning} Found by: {by}.")


LISTS: Mapping[str, Callable[[], Iterator[Term]]] = {
    "systems": systems,
    "faults": faults,
    "workloads": workloads,
    "checkers": checkers,
    "anomalies": anomalies,
    "metrics": metrics,
    "profiles": profiles,
    "mutants": mutants,
    "targets": targets,
    "experiments": experiments,
}


def find(name: str) -> list[Term]:
    """Everything that has this name."""
    return [term for terms in LISTS.values() for term in terms() if term.name == name]


def names() -> list[str]:
    """All names, each once."""
    return list(dict.fromkeys(term.name for terms in LISTS.values() for term in terms()))


def shown_by(name: str) -> list[str]:
    """The catalogue's files that use a name: as a key, a checker, a mutant or a metric; of an anomaly its checkers."""
    wanted = {name, *ANOMALIES[name].checkers[:1]} if name in ANOMALIES else {name}
    return [path_of(path.stem) for path in sorted(CATALOG.glob("*.yaml")) if wanted & _words(read_tree(path).plain())]


def path_of(experiment: str) -> str:
    """A catalogue file as it can be typed: from here if that is shorter."""
    path = CATALOG / f"{experiment}.yaml"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class SettingRow(NamedTuple):
    """One setting as documents show it."""

    key: str
    what: str  # may stand there
    default: str
    purpose: str


def settings_rows(kind: type[Settings]) -> Iterator[SettingRow]:
    """One row for each setting."""
    why = purposes(kind)
    for field in msgspec.structs.fields(kind):
        yield SettingRow(file_key(field.name), wanted(field.type), default_text(field), why.get(field.name, ""))


def _term(kind: str, name: str, text: str | None, settings: type[Settings] | None = None) -> Term:
    """A term from a docstring: its first sentence, and all of it."""
    paragraph = inspect.cleandoc(text or "")
    return Term(kind, name, _first_sentence(paragraph), paragraph, settings)


def _first_sentence(text: str) -> str:
    flat = " ".join(text.split("\n\n")[0].split())
    end = flat.find(". ")
    return flat if end < 0 else flat[: end + 1]


def _behind(checker: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a row of CHECKERS calls: the one whose name is the row's, in its module."""
    for name in checker.__code__.co_names:
        found = checker.__globals__.get(name)
        inner = next((getattr(found, other) for other in checker.__code__.co_names if hasattr(found, other)), None)
        if inspect.isfunction(inner):
            return inner
        if inspect.isfunction(found):
            return found
    return checker


def _words(value: Any) -> set[str]:
    """All keys of a file, and the words in its texts."""
    if isinstance(value, dict):
        return set(map(str, value)).union(*map(_words, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(_words, value))
    return set(str(value).replace(":", " ").replace(".", " ").split())
