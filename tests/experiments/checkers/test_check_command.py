"""`splitbrain check FILE` and `splitbrain export`: the contract of `--json`, exit codes and options."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from experiments.cli.check import check, models

WRITE = '{"client": 1, "key": "a", "f": "write", "value": 1, "call": 0, "return": 5}\n'
READ = '{"client": 2, "key": "a", "f": "read", "value": 1, "call": 10, "return": 15}\n'
STALE = '{"client": 2, "key": "a", "f": "read", "value": null, "call": 10, "return": 15}\n'
ZERO = '{"client": 2, "key": "b", "f": "read", "value": 0, "call": 20, "return": 25}\n'


def run(tmp_path: Path, text: str, *options: str) -> tuple[int, str]:
    file = tmp_path / "history.jsonl"
    file.write_text(text)
    done = CliRunner().invoke(check, [str(file), *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def answer(tmp_path: Path, text: str, *options: str) -> dict[str, Any]:
    code, output = run(tmp_path, text, "--json", *options)
    found: dict[str, Any] = json.loads(output)
    assert code == (0 if found["valid"] is True else 1)
    return found


def test_the_document_is_the_contract(tmp_path: Path) -> None:
    found = answer(tmp_path, WRITE + READ, "--model", "register")
    assert {"valid", "model", "method", "ops", "keys", "wall_s", "anomalies", "explanation"} <= set(found)
    assert (found["valid"], found["model"], found["ops"], found["keys"]) == (True, "register", 2, 1)
    assert (found["anomalies"], found["explanation"]) == ({}, "")


def test_a_violation_is_explained_in_words_and_as_a_picture(tmp_path: Path) -> None:
    found = answer(tmp_path, WRITE + STALE, "--model", "register")
    assert found["valid"] is False
    assert "read 1" in found["explanation"]
    assert "write 0 of 1" in found["explanation"]
    (anomaly,) = found["anomalies"]["not-linearizable"]
    assert "|- write 1 -|" in anomaly["picture"]
    assert [one["operation"] for one in anomaly["window"]] == [0, 1]


def test_the_picture_is_drawn_as_svg(tmp_path: Path) -> None:
    code, output = run(tmp_path, WRITE + STALE, "--model", "register", "--svg", str(tmp_path / "a.svg"))
    assert code == 1
    assert "> process 2" in output
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn.startswith("<svg")
    assert "read nil" in drawn


def test_an_unwritten_object_holds_nothing_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    assert answer(tmp_path, ZERO, "--model", "register")["valid"] is False
    assert answer(tmp_path, ZERO, "--model", "register", "--initial", "0")["valid"] is True


def test_time_gives_out_with_its_reason(tmp_path: Path) -> None:
    text = WRITE.replace('"a"', '"a"') + WRITE.replace("0,", "6,").replace("5}", "7}") + READ
    found = answer(tmp_path, text, "--model", "register", "--timeout", "0s")
    assert (found["valid"], "time was up" in found["explanation"]) == ("unknown", True)


def test_lenient_reading_says_how_much_was_left_out(tmp_path: Path) -> None:
    assert run(tmp_path, WRITE + "{\n" + READ, "--model", "register")[0] == 2
    found = answer(tmp_path, WRITE + "{\n" + READ, "--model", "register", "--lenient")
    assert (found["valid"], found["skipped"], found["skipped_first"][0]["line"]) == (True, 1, 2)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (WRITE, [], "say what it is to be held against, --model bank|cas-register|causal"),
        (WRITE, ["--model", "registr"], "did you mean 'register'"),
        (WRITE, ["--model", "mutex"], "model mutex knows acquire, release, but no 'write'"),
        (WRITE, ["--model", "register", "--format", "xml"], "--format xml: there is edn"),
        (WRITE, ["--model", "register", "--failed", "maybe"], "--failed maybe: there is dropped, observed"),
        (WRITE, ["--model", "register", "--timeout", "soon"], "--timeout soon: write a time"),
        (WRITE, ["--model", "x.py:Model"], "there is no file x.py"),
        ("nonsense", ["--model", "register"], "not recognised"),
        (WRITE.replace("write", "cas"), ["--model", "cas-register"], "no pair [expected, new]"),
        (WRITE.replace("write", "add"), ["--model", "linearizable-counter", "--initial", "x"], "no number"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(tmp_path: Path, text: str, options: list[str], words: str) -> None:
    code, output = run(tmp_path, text, *options)
    assert code == 2
    assert words in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize("model", models())
def test_every_model_can_be_named(tmp_path: Path, model: str) -> None:
    """On a history that it may not understand: it is judged, or refused with one line."""
    code, output = run(tmp_path, WRITE + READ, "--model", model)
    assert code in (0, 1) or len(output.strip().splitlines()) == 1


OWN = """
from experiments.checkers.linearizable.models import REFUSED

class Toggle:
    functions = ("flip", "look")
    initial = False

    def step(self, state, function, value, result, outcome):
        if function == "flip":
            return not state
        return state if result == state else REFUSED
"""


def test_a_model_of_ones_own_judges_a_file(tmp_path: Path) -> None:
    (tmp_path / "toggle.py").write_text(OWN)
    flip = '{"client": 1, "f": "flip", "call": 0, "return": 5}\n'
    look = '{"client": 1, "f": "look", "value": true, "call": 10, "return": 15}\n'
    named = f"{tmp_path}/toggle.py:Toggle"
    assert answer(tmp_path, flip + look, "--model", named)["valid"] is True
    assert (
        answer(tmp_path, flip + flip.replace("0,", "6,").replace("5}", "7}") + look, "--model", named)["valid"] is False
    )


def test_a_model_of_ones_own_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "toggle.py").write_text(OWN.replace("not state", "state + unheard_of"))
    code, output = run(
        tmp_path, '{"client": 1, "f": "flip", "call": 0, "return": 5}\n', "--model", f"{tmp_path}/toggle.py:Toggle"
    )
    assert code == 2
    assert "NameError" in output
    assert len(output.strip().splitlines()) == 1
