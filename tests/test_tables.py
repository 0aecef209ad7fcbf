"""Registration is a table that a reader can see: no file of a registered folder is left out of its table.

What is none of its kind must serve one that is.
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


LISTED = {
    "actors/protocols": files_of(SYSTEMS.values()),
    "chaos/faults": files_of(FAULTS.values()),
    "chaos/zoo": files_of(kind for kinds in MUTANTS.values() for kind in kinds.values()),
    "experiments/checkers": files_read(CHECKERS),
    "experiments/workloads": files_of(WORKLOADS.values()),
    "experiments/cli": files_named(COMMANDS.values()),
    "benchmarks": files_named(BENCHES.values()),
}
"""folder -> the files that its table lists."""


def imports_of(path: Path) -> set[str]:
    """The files of ours that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        else:
            continue
        found |= {file for module in modules if (ROOT / (file := module.replace(".", "/") + ".py")).is_file()}
    return found


def reached(listed: set[str]) -> set[str]:
    """The listed files and all that they need."""
    found: set[str] = set()
    following = set(listed)
    while following:
        found |= following
        following = {file for path in following for file in imports_of(ROOT / path)} - found
    return found


@pytest.mark.parametrize("folder", LISTED)
def test_every_file_is_in_its_table_or_serves_one_that_is(folder):
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.py") if path.stem != "__init__"}
    assert there - reached(LISTED[folder]) == set(), "add a line to the folder's table"


def test_a_faults_key_is_the_name_of_its_file():
    """So that a reader of a schedule knows where to look."""
    assert [Path(inspect.getfile(kind)).stem for kind in FAULTS.values()] == list(FAULTS)


def test_a_systems_key_is_the_name_of_its_file():
    assert {name: Path(inspect.getfile(kind)).stem for name, kind in SYSTEMS.items()} == {
        name: name for name in SYSTEMS
    }


def test_every_command_has_a_line_of_help():
    assert HELP.keys() == COMMANDS.keys()
