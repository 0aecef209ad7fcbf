"""What has a name can be listed and explained, from the tables alone."""

from pathlib import Path

import pytest

from actors.systems import SYSTEMS
from chaos.faults import FAULTS
from chaos.zoo import MUTANTS
from experiments import glossary
from experiments.checkers import CHECKERS
from experiments.metrics import METRICS
from experiments.workloads import WORKLOADS

TABLES = {
    "systems": SYSTEMS,
    "faults": FAULTS,
    "workloads": WORKLOADS,
    "checkers": CHECKERS,
    "metrics": METRICS,
    "mutants": [name for kinds in MUTANTS.values() for name in kinds],
    "experiments": [path.stem for path in sorted(glossary.CATALOG.glob("*.yaml"))],
}


@pytest.mark.parametrize("what", TABLES)
def test_a_list_has_a_row_for_each_row_of_its_table(what: str) -> None:
    assert [term.name for term in glossary.LISTS[what]()] == list(TABLES[what])


@pytest.mark.parametrize("what", glossary.LISTS)
def test_each_term_is_one_sentence_in_a_list_and_a_paragraph_that_explains(what: str) -> None:
    for term in glossary.LISTS[what]():
        assert term.line, term.name
        assert "\n" not in term.line, term.name
        assert len(term.line) < 250, term.name
        assert len(term.paragraph) >= len(term.line) - 40, term.name
        assert "dict() ->" not in term.paragraph, f"{term.name} is explained by Python's own words"


def test_a_name_of_each_list_is_found() -> None:
    names = {what: next(terms()).name for what, terms in glossary.LISTS.items()}
    assert set(names.values()) <= set(glossary.names())
    for name in names.values():
        assert {term.name for term in glossary.find(name)} == {name}
    assert glossary.find("no such thing") == []


def test_a_checker_is_explained_by_the_function_that_judges() -> None:
    (term,) = glossary.find("raft-safety")
    assert "log" in term.paragraph.lower()
    (term,) = glossary.find("election-safety")
    assert "At most one node is elected in any term" in term.line


@pytest.mark.parametrize(
    "kind", [*FAULTS.values(), *WORKLOADS.values(), *(kind.settings_type for kind in SYSTEMS.values())]
)
def test_every_setting_says_what_it_is_for_or_what_may_stand_there(kind: type) -> None:
    for row in glossary.settings_rows(kind):
        assert row.what, row
        assert row.default, row
        assert "<" not in row.what + row.default, f"{row} shows a class"


def test_the_files_that_show_a_term() -> None:
    assert any(path.endswith("split-brain.yaml") for path in glossary.shown_by("bully"))
    assert any(path.endswith("raft-broken-quorum.yaml") for path in glossary.shown_by("commit-without-majority"))
    assert glossary.shown_by("no such thing") == []


def test_a_catalogue_file_is_named_as_it_can_be_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(glossary.path_of("split-brain")).is_file()
    monkeypatch.chdir(glossary.CATALOG)
    assert glossary.path_of("split-brain") == "split-brain.yaml"
