"""What is wrong with a schedule: times that don't go together, targets that can't exist, steps that can't be found."""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, TypeAlias, get_origin

import msgspec

from actors.settings import Settings, Unit, file_key
from actors.systems import SYSTEMS
from chaos import conditions
from chaos.fault import Fault
from chaos.faults import FAULTS
from chaos.targets import TARGET_WORDS, is_known
from chaos.user_fault import NoSuchFault
from cluster.topology import Topology
from experiments.near_words import did_you_mean
from experiments.spec.models import ExperimentFile
from experiments.spec.parts import chosen, fault_of_step, schedule_of
from experiments.spec.schedule import BLOCKS, JITTER, jitter_of

Path: TypeAlias = tuple[str | int, ...]
Finding: TypeAlias = tuple[Path, str]

MAX_INJECTIONS = 100_000
STARTS = ("at", "every", "random", "when", "after")
NEEDS = {"jitter": ("every",), "count": ("every", "random", "when"), "timeout": ("when",)}


def check_schedule(file: ExperimentFile, topology: Topology | None) -> Iterator[Finding]:
    """All that is wrong with the chaos of a file."""
    try:
        schedule = schedule_of(file)
    except LookupError as error:
        yield ("chaos",), str(error.args[0])
        return
    names = {step.name for _, step in schedule.steps if step.name}
    injections = 0
    for path, step in schedule.steps:
        injections += _injections(step, file.duration)
        yield from _start(path, step, file.duration)
        yield from _step(path, step, file.duration, topology)
        yield from _unheard(path, step, chosen(file.system, SYSTEMS))
        if step.after is not None and step.after not in names:
            there = did_you_mean(step.after, names) if names else "none of them has a name: ..."
            yield (*path, "after"), f"no step is called {step.after!r}; {there}"
    given = [step.name for _, step in schedule.steps if step.name]
    for path, step in schedule.steps:
        if step.name and given.count(step.name) > 1:
            yield (*path, "name"), f"two steps are called {step.name}"
    if injections > MAX_INJECTIONS:
        yield ("chaos",), f"that makes {injections:,} injections in all; {MAX_INJECTIONS:,} are allowed"
    if schedule.steady is not None:
        yield from _condition(("chaos", "steady_state"), schedule.steady.condition)
    for place, text in enumerate(schedule.stop_when):
        yield from _condition(("chaos", "stop_when", place), text)


def _injections(step: Any, duration_ns: int) -> int:
    """How many injections a step makes, about as many for one at random; one that waits for others counts once."""
    every_ns = step.every or (step.random and step.random.between)
    times = duration_ns // every_ns if every_ns else 1
    inside = sum(_injections(child, duration_ns) for child in (*(step.sequence or ()), *(step.together or ())))
    return int(min(times, step.count or times) * step.repeat * (inside or 1))


def _start(path: Path, step: Any, duration_ns: int) -> Iterator[Finding]:
    """When a step on the top level begins."""
    given = [name for name in STARTS if getattr(step, name) is not None]
    if len(given) != 1:
        said = f"here are {' and '.join(given)}" if given else "such as at: 10s or every: 20s"
        yield path, f"say when, by one of {', '.join(STARTS)}; {said}"
    for key, needed in NEEDS.items():
        if _given(step, key) and not set(needed) & set(given):
            yield (*path, key), f"{key} goes with {' or '.join(needed)}"
    if step.every is not None:
        if step.every <= 0:
            yield (*path, "every"), "the time between two injections must be above 0"
        elif min(duration_ns // step.every, step.count or MAX_INJECTIONS + 1) > MAX_INJECTIONS:
            yield (*path, "every"), f"that is {duration_ns // step.every:,} injections; {MAX_INJECTIONS:,} are allowed"
    if step.random is not None:
        if step.random.between <= 0:
            yield (*path, "random", "between"), "the mean time between two injections must be above 0"
        elif duration_ns // step.random.between > MAX_INJECTIONS:
            yield (*path, "random", "between"), f"that is more than {MAX_INJECTIONS:,} injections"
        if step.random.heal is not None and step.for_ is not None:
            yield (*path, "for"), "random: {heal: ...} says how long already; leave one out"
    if step.when is not None:
        yield from _condition((*path, "when"), step.when)


def _step(path: Path, step: Any, duration_ns: int, topology: Topology | None) -> Iterator[Finding]:
    """What a step does, and for how long; and the steps inside it."""
    yield from _end(path, step, duration_ns)
    given = [name for name in (*FAULTS, *BLOCKS, "fault") if _says(step, name)]
    if len(given) != 1:
        said = f"here are {' and '.join(given)}" if given else f"there are {', '.join(FAULTS)}"
        yield path, f"name exactly one fault, or one of {', '.join(BLOCKS)}; {said}"
        return
    if given[0] in BLOCKS:
        yield from _block(path, step, given[0], duration_ns, topology)
        return
    if step.with_ is not None and step.fault is None:
        yield (*path, "with"), "with goes with fault: path/to/file.py:ClassName"
    try:
        fault = fault_of_step(step)
    except (NoSuchFault, msgspec.ValidationError) as error:
        yield (*path, "fault"), str(error)
        return
    yield from _fault((*path, given[0]), fault, topology)


def _given(step: Any, key: str) -> bool:
    return (jitter_of(step) if key == JITTER else getattr(step, key)) is not None


def _says(step: Any, name: str) -> bool:
    return name in chosen(step, FAULTS) if name in FAULTS else getattr(step, name) is not None


def _end(path: Path, step: Any, duration_ns: int) -> Iterator[Finding]:
    if step.for_ is not None and step.for_ > duration_ns:
        yield (*path, "for"), "the fault lasts longer than the run"
    if step.for_ == 0:
        yield (*path, "for"), "a fault that lasts no time does nothing"
    if isinstance(step.until, str):
        yield from _condition((*path, "until"), step.until)
    elif step.until is not None and step.for_ is not None:
        yield (*path, "until"), "for says how long already; leave one out"


def _block(path: Path, step: Any, kind: str, duration_ns: int, topology: Topology | None) -> Iterator[Finding]:
    for key in ("for_", "until", "max_affected"):
        if getattr(step, key) is not None:
            yield (*path, key.rstrip("_")), f"a {kind} ends with what is in it; say {key.rstrip('_')} there"
    for place, child in enumerate(getattr(step, kind) if kind != "wait" else ()):
        here = (*path, kind, place)
        for name in (*STARTS, *NEEDS):
            if _given(child, name):
                yield (*here, name), f"a step in a {kind} begins when its turn comes; leave {name} out"
        yield from _step(here, child, duration_ns, topology)


def _unheard(path: Path, step: Any, systems: list[str]) -> Iterator[Finding]:
    """Steps that tell the servers what their system does not understand, such as new members to one that has none."""
    for name in chosen(step, FAULTS):
        deaf = [system for system in systems if set(FAULTS[name].asks) - set(SYSTEMS[system].handlers)]
        if deaf:
            able = [system for system, kind in SYSTEMS.items() if set(FAULTS[name].asks) <= set(kind.handlers)]
            yield (*path, name), f"{deaf[0]} has no {name}; {', '.join(able)} has"
    for kind in BLOCKS:
        children = getattr(step, kind)
        for place, child in enumerate(children if isinstance(children, list) else ()):
            yield from _unheard((*path, kind, place), child, systems)


def _fault(path: Path, fault: Fault, topology: Topology | None) -> Iterator[Finding]:
    for field, message in fault.problems():
        yield ((*path, file_key(field)) if field else path), message
    if topology is not None:
        yield from targets(path, fault, topology)


def targets(path: Path, settings: Settings, topology: Topology) -> Iterator[Finding]:
    """Words that can't mean a server of this cluster."""
    known = (*TARGET_WORDS, *dict.fromkeys(topology.regions), *(topology.name(node) for node in topology.servers))
    for field in msgspec.structs.fields(type(settings)):
        for word in _target_words(field.type, getattr(settings, field.name)):
            if not is_known(word, topology):
                reason = f"{word!r} can mean no server here"
                if word in TARGET_WORDS:
                    reason += f": a cluster of {topology.server_count} has no minority"
                else:
                    numbered = word[:1] == "n" and word[1:].isdecimal()
                    reason += (
                        f"; the servers are n1 to n{topology.server_count}"
                        if numbered
                        else f"; {did_you_mean(word, known)}"
                    )
                yield (*path, file_key(field.name)), reason


def _target_words(annotation: Any, value: Any) -> Iterable[str]:
    """The words of a field if it names targets."""
    units = _units(annotation)
    if value is None:
        return ()
    if Unit.TARGET in units:
        return tuple(value)
    return tuple(word for side in value for word in side) if Unit.TARGET_PAIR in units else ()


def _units(annotation: Any) -> tuple[Unit, ...]:
    if get_origin(annotation) is Annotated:
        return tuple(mark for mark in annotation.__metadata__ if isinstance(mark, Unit))
    return tuple(unit for part in getattr(annotation, "__args__", ()) for unit in _units(part))


def _condition(path: Path, text: str, parse: Callable[[str], Any] = conditions.parse) -> Iterator[Finding]:
    try:
        parse(text)
    except conditions.MalformedCondition as error:
        yield path, str(error)
