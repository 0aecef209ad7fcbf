"""Documents that are made from the code are as new as the code."""

import pytest

from experiments.documents import DOCS, documents


@pytest.mark.parametrize("name", ["metrics.md", "file-format.md"])
def test_a_document_is_as_new_as_the_code(name: str) -> None:
    assert (DOCS / name).read_text() == documents()[name], "run `make docs`"
