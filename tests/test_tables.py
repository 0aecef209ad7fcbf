"""Registration is a table that a reader can see: no file of a registered folder is left out of its table.

What is none of its kind must serve those that are: one of them imports it, by way of others perhaps.
"""

import ast
import inspect
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest

import splitbrain
from actors.systems import SYSTEMS
from benchmarks import BENCHES
from chaos.faults import FAULTS
from chaos.zoo import MUTANTS
from experiments.checkers import CHECKERS
from experiments.cli import COMMANDS, HELP
from experiments.workloads import WORKLOADS

ROOT = Path(splitbrain.__file__).parent


def files_of(kinds: Iterable[object]) -> set[str]:
    """The files in which classes and functions are defined."""
    return {Path(inspect.getfile(kind)).relative_to(ROOT).as_posix() for kind in kinds}


def files_named(places: Iterable[str]) -> set[str]:
    """The files of `package.module:name` texts, each of which must be there."""
    found = set()
    for place in places:
        module, _, name = place.partition(":")
        assert hasattr(import_module(module), name), f"{place} is not there"
        found.add(module.replace(".", "/") + ".py")
    return found


def files_read(table: dict[str, object]) -> set[str]:
    """The files of the modules that a table's functions name."""
    found = set()
    for function in table.values():
        for name in inspect.getclosurevars(function).globals.values():
            if inspect.ismodule(name):
                found.add(Path(name.__file__).relative_to(ROOT).as_posix())
    return found


def files_imported(files: Iterable[str]) -> set[str]:
    """These files, and those of ours that they import, by way of others too."""
    found: set[str] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            places = (module.replace(".", "/") for module in modules)
            waiting += [
                place for name in places for place in (f"{name}.py", f"{name}/__init__.py") if (ROOT / place).is_file()
            ]
    return found


LISTED = {
    "actors/protocols": files_of(SYSTEMS.values()),
    "chaos/faults": files_of(FAULTS.values()),
    "chaos/zoo": files_of(kind for kinds in MUTANTS.values() for kind in kinds.values()) | {"chaos/zoo/__init__.py"},
    "experiments/checkers": files_read(CHECKERS) | files_named(COMMANDS.values()),
    "experiments/workloads": files_of(WORKLOADS.values()),
    "experiments/cli": files_named(COMMANDS.values()),
    "benchmarks": files_named(BENCHES.values()),
}
"""folder -> the files that its table lists, and those that lead to the rest."""


@pytest.mark.parametrize("folder", LISTED)
def test_every_file_is_in_its_table(folder):
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.py") if path.stem != "__init__"}
    assert there - files_imported(LISTED[folder]) == set(), "add a line to the folder's table"


def test_a_faults_key_is_the_name_of_its_file():
    """So that a reader of a schedule knows where to look."""
    assert [Path(inspect.getfile(kind)).stem for kind in FAULTS.values()] == list(FAULTS)


def test_a_systems_key_is_the_name_of_its_file():
    assert {name: Path(inspect.getfile(kind)).stem for name, kind in SYSTEMS.items()} == {
        name: name for name in SYSTEMS
    }


def test_every_command_has_a_line_of_help():
    assert HELP.keys() == COMMANDS.keys()
