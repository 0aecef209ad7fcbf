"""Histories of any brokenness: each is judged or refused with one clear error, and never with a traceback."""

import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from experiments.checkers import foreign
from experiments.checkers.foreign import INVARIANTS, Options
from experiments.checkers.linearizable.models import MODELS, UnusableModel
from experiments.checkers.linearizable.objects import BadOperation
from experiments.formats import FORMATS, HistoryError, read_history
from experiments.formats.edn import Reader
from experiments.formats.values import freeze

SEEDS = (
    b'{"client": 3, "key": "k5", "f": "write", "value": 7, "call": 1200, "return": 3400}\n'
    b'{"client": 4, "key": "k5", "f": "read", "value": null, "call": 1000, "return": 1100, "type": "ok"}\n'
    b'{"client": 3, "f": "cas", "value": [7, [1, {"a": 2}]], "call": 5000, "return": 6000, "type": "fail"}\n',
    b'{"process": 1, "type": "invoke", "f": "read", "value": null, "time": 10}\n'
    b'{"process": "nemesis", "type": "info", "f": "start", "time": 15}\n'
    b'{"process": 1, "type": "ok", "f": "read", "value": 5, "time": 20}\n',
    b"[{:process 1, :type :invoke, :f :txn, :value [[:r :x nil] [:w 3 4]], :time 10}\n"
    b" {:process 1, :type :ok, :f :txn, :value [[:r :x [1 2]] [:w 3 4]], :time 20}]\n",
    b'{:process 9, :type :invoke, :f :append, :key "0", :value "x 9 \\"0 y"}\n; comment\n'
    b'#tag {:process 9, :type :ok, :f :append #_ 5, :key "0", :value #{1 2}}\n',
    b"INFO  jepsen.util - 3\t:invoke\t:write\t4\nINFO  jepsen.util - 1   :invoke   :cas   [4 2]\n"
    b"INFO  jepsen.util - 3\t:ok\t:write\t4\nINFO  jepsen.util - 1   :info   :cas   :timed-out\n",
)
PIECES = (
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b'"',
    b"\\",
    b":",
    b",",
    b"\n",
    b"\t",
    b"#",
    b"#{",
    b"#_",
    b"^",
    b";",
    b"nil",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"NaN",
    b"0x1",
    b"1/2",
    b"\xff",
    b"\xe2\x82",
    b"\x00",
    b"\xef\xbb\xbf",
    b"[" * 300,
    b"{:a " * 100,
    b'{"a":' * 100,
    b":ok",
    b":info",
    b":invoke",
    b'"call": -5',
    b'"return": null',
    b":process :x",
    b'"f": 5',
    b":f nil",
    b'"value": {"a": [1, {}]}',
    b":value {1 {2 [3]}}",
    b'"client": "c1"',
    b'"type": "maybe"',
    b"\\u12",
)
MODEL_NAMES = sorted([*MODELS, *INVARIANTS])


def broken(rng: random.Random) -> bytes:
    """A history with pieces of it cut out, doubled, swapped for others, or cut off."""
    text = rng.choice(SEEDS)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((0, 1, 2, 5, 30)))
        kind = rng.randrange(5)
        piece = rng.choice(PIECES) if kind < 2 else text[at:end] * 2 if kind == 2 else bytes([rng.randrange(256)])
        text = text[:at] if kind == 4 and rng.random() < 0.3 else text[:at] + piece * (kind != 3) + text[end:]
    return text


def judge_or_refuse(path: Path, seed: int) -> str:
    """What comes of a broken history: refused, not understood by the model, or judged."""
    rng = random.Random(seed)
    path.write_bytes(broken(rng))
    named = rng.choice((None, None, *FORMATS))
    try:
        history = read_history(path, format_name=named, lenient=rng.random() < 0.3).history
    except HistoryError as error:
        return "refused" if one_line(error.at("file")) else "refused in several lines"
    try:
        verdict = foreign.judge(history, rng.choice(MODEL_NAMES), Options(timeout_s=5.0))
    except (UnusableModel, BadOperation) as error:
        return "not understood" if one_line(str(error)) else "not understood in several lines"
    return str(verdict.valid)


def one_line(message: str) -> bool:
    return bool(message) and "\n" not in message


JUNK = (None, 0, -1, 1.5, True, "", "x", [], [1], [1, 2], [1, [2, 3]], [[]], {}, {"a": 1}, {"a": None},
        [["r", 1, None]],
        [["w", "x", 1], ["r", "x", 1]], [["r"]], [[1, 2, 3]], 1 << 70, [None, None], {"ttl_ns": "x"})  # fmt: skip
FUNCTIONS = sorted(
    {name for kind in MODELS.values() for name in (*kind.functions, *kind.aliases)}  # type: ignore[attr-defined]
    | {"generate", "transfer", "drain", "txn", "cas", "add", "read"}
)


def odd(rng: random.Random, functions: Sequence[str]) -> str:
    """Operations that a model knows, with values that it does not expect."""
    lines = []
    for number in range(rng.randrange(1, 6)):
        fields = {
            "client": rng.randrange(3),
            "f": rng.choice(functions),
            "value": rng.choice(JUNK),
            "call": 10 * number,
        }
        fields["type"] = rng.choice(("ok", "ok", "ok", "fail", "info"))
        fields["return"] = 10 * number + rng.randrange(9)
        if rng.random() < 0.3:
            fields["result"] = rng.choice(JUNK)
        if rng.random() < 0.2:
            fields["error"] = rng.choice(("compare-failed", "wrong-type", "x", ["a"]))
        lines.append(json.dumps(fields))
    return "\n".join(lines) + "\n"


def judge_odd(path: Path, seed: int) -> str:
    rng = random.Random(seed)
    model = rng.choice(MODEL_NAMES)
    kind: Any = MODELS.get(model)
    path.write_text(odd(rng, FUNCTIONS if kind is None else (*kind.functions, *kind.aliases)))
    try:
        history = read_history(path, failed=rng.choice((None, "observed"))).history
    except HistoryError as error:
        return "refused" if one_line(error.at("file")) else "refused in several lines"
    initial = rng.choice((foreign.UNSAID, *map(freeze, JUNK)))
    try:
        verdict = foreign.judge(history, model, Options(timeout_s=5.0, initial=initial))
    except (UnusableModel, BadOperation) as error:
        return "not understood" if one_line(str(error)) else "not understood in several lines"
    return str(verdict.valid)


def test_values_that_no_model_expects_are_judged_or_refused(tmp_path: Path) -> None:
    for seed in range(2_000):
        assert "several lines" not in judge_odd(tmp_path / "history", seed), seed


def run(folder: Path, seeds: range) -> set[str]:
    outcomes = set()
    for seed in seeds:
        try:
            outcomes.add(judge_or_refuse(folder / "history", seed))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {broken(random.Random(seed))!r}") from error
    return outcomes


def test_a_broken_history_is_judged_or_refused(tmp_path: Path) -> None:
    assert {"refused", "not understood", "True", "False", "unknown"} == run(tmp_path, range(2_000))


@pytest.mark.long
def test_twenty_thousand_broken_histories_are_judged_or_refused(tmp_path: Path) -> None:
    run(tmp_path, range(20_000))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11])
def test_edn_is_read_alike_whatever_the_chunks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token is cut where a chunk ends, nor a character of several bytes."""
    text = (
        '{:process 1, :value "zwölf ⚡ \\"x\\"", :f :read ; note\n :set #{1 2} :inst #inst "x"} [1 {:a "€"}]'.encode()
    )
    whole = [form.value for form in Reader(io.BytesIO(text)).forms()]
    monkeypatch.setattr("experiments.formats.edn.CHUNK_CHARACTERS", size)
    assert [form.value for form in Reader(io.BytesIO(text)).forms()] == whole
    assert whole[0]["value"] == 'zwölf ⚡ "x"'
