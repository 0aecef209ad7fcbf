"""docs/dynamo.md says what is there: its links resolve, and its mutants are the zoo's."""

import re
from pathlib import Path

import splitbrain
from chaos.zoo import MUTANTS

ROOT = Path(splitbrain.__file__).parent
DOCUMENT = ROOT / "docs" / "dynamo.md"
FEATURES = [line for line in DOCUMENT.read_text().split("## What is judged")[0].splitlines() if line.startswith("| ")]


def test_every_link_resolves() -> None:
    links = re.findall(r"\]\(([^)]+)\)", DOCUMENT.read_text())
    assert len(links) > 40
    assert [link for link in links if not (DOCUMENT.parent / link).exists()] == []


def test_it_names_exactly_the_mutants_that_there_are() -> None:
    named = [name for line in FEATURES[1:] for name in re.findall(r"`([a-z-]+)`", line.rsplit("|", 2)[1])]
    assert sorted(named) == sorted(MUTANTS["dynamo"])


def test_every_experiment_that_it_names_runs_a_dynamo() -> None:
    files = re.findall(r"\.\./(experiments/catalog/[a-z-]+\.yaml)", DOCUMENT.read_text())
    assert files
    assert all("dynamo" in (ROOT / file).read_text() for file in files)
