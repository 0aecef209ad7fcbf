"""Golden transcripts: each file tells a story, and shows what really comes of it.

`REWRITE=1 pytest tests/transcripts` writes what is seen into the files; read the difference before you keep it.
"""

import os

import pytest
from raft_invariants import Violation
from raft_transcript import Transcript, files

from chaos.zoo.raft import RAFT


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_story_goes_as_it_is_told(path):
    told = path.read_text()
    seen = Transcript().play(told)
    if os.environ.get("REWRITE"):
        path.write_text(seen)
    assert seen == told


GOES_WRONG_WITH = {
    "figure-8": "commits-old-term",
    "bug-of-2015": "change-before-own-commit",
    "voter-that-lags-behind": "voter-checks-membership",
    "restart-with-an-appended-configuration": "restarts-on-committed-configuration",
    "learners-do-not-count": "learners-count",
    "joint-configuration-recovered": "leaves-uncommitted-joint",
    "empty-server-joins": "voter-at-once",
}


@pytest.mark.parametrize("path", [path for path in files() if path.stem in GOES_WRONG_WITH], ids=lambda path: path.stem)
def test_with_its_mutant_the_story_goes_wrong(path):
    told = path.read_text()
    try:
        seen = Transcript(RAFT[GOES_WRONG_WITH[path.stem]]).play(told)
    except Violation:
        return
    except KeyError:  # a step that is not possible any more, such as a time-out of a leader
        return
    assert seen != told


def test_every_mutant_of_a_story_has_its_file():
    assert set(GOES_WRONG_WITH) <= {path.stem for path in files()}
