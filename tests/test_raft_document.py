"""docs/raft.md names code, tests and mutants; all of them must exist, and no mutant may be missing."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import splitbrain
from chaos.zoo.raft import RAFT

ROOT = Path(splitbrain.__file__).parent
DOCUMENT = (ROOT / "docs" / "raft.md").read_text()
ROWS = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and "`" in line]


def cells(column: int) -> list[str]:
    """All names in backticks in a column of the table."""
    return list(dict.fromkeys(name for row in ROWS for name in re.findall(r"`([^`]+)`", row.split("|")[column + 1])))


def resolve(name: str) -> object:
    """`raft_reads.Reads.read` or `state.quorum.agreed` as the object that it means."""
    parts = name.split(".")
    module = f"actors.state.{parts[1]}" if parts[0] == "state" else f"actors.protocols.{parts[0]}"
    found: object = import_module(module)
    for part in parts[2:] if parts[0] == "state" else parts[1:]:
        found = getattr(found, part)
    return found


def test_the_table_has_its_rows():
    assert len(ROWS) > 35


@pytest.mark.parametrize("name", cells(2))
def test_the_code_is_there(name):
    assert resolve(name)


@pytest.mark.parametrize("name", cells(3))
def test_the_test_is_there(name):
    path, _, function = name.partition("::")
    assert re.search(rf"^def {function}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path} has no {function}"


def test_every_mutant_attacks_a_row_and_every_one_named_exists():
    assert set(cells(4)) == set(RAFT)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|actors)/[\w/]+(?:\.py|/))`", DOCUMENT))))
def test_the_files_are_there(path):
    assert (ROOT / path).exists()
