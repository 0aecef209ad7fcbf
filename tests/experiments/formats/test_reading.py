"""The documented formats, read: what each line means, and what is refused with its number."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_histories import MACHINES, drawn

from actors.history import Operation
from experiments.checkers.linearizable import linearizable
from experiments.checkers.linearizable.models import COMPARE_DIFFERED
from experiments.formats import FORMATS, HistoryError, read_history
from experiments.formats.lines import CHUNK_BYTES, LINE_BYTES
from experiments.formats.writing import edn_lines, json_lines


def told(one: Operation) -> tuple[Any, ...]:
    return one.process, one.function, one.key, one.value, one.invoke_ns, one.return_ns, one.outcome, one.result


def read(tmp_path: Path, text: str | bytes, **options: Any) -> list[tuple[Any, ...]]:
    path = tmp_path / "history"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [told(one) for one in read_history(path, **options).history]


JSON_OPERATIONS = """
{"client": 3, "key": "k5", "f": "write", "value": 7, "call": 1200, "return": 3400}

{"client": 4, "key": "k5", "f": "read", "value": null, "call": 1000, "return": 1100, "type": "ok"}
{"client": 3, "key": "k5", "f": "write", "value": 8, "call": 3400}
{"client": 3, "key": "k5", "f": "cas", "value": [7, 9], "call": 5000, "return": 6000, "type": "fail"}
"""


def test_json_lines_of_operations(tmp_path: Path) -> None:
    """In order of call; without a return it may act at any later time, and its client's number comes back."""
    assert read(tmp_path, JSON_OPERATIONS) == [
        (4, "read", "k5", None, 1000, 1100, "ok", None),
        (3, "write", "k5", 7, 1200, 3400, "ok", 7),
        (3, "write", "k5", 8, 3400, None, "info", 8),
        (3, "cas", "k5", (7, 9), 5000, 6000, "fail", (7, 9)),
    ]


EVENTS = [
    (1, "read", "", None, 10, 20, "ok", 5),
    (2, "write", "", 6, 12, None, "info", None),
    (2, "cas", "", (5, 6), 31, 32, "fail", None),
    (3, "read", "", None, 40, None, "info", None),
]
JSON_EVENTS = """
{"process": 1, "type": "invoke", "f": "read", "value": null, "time": 10, "index": 0}
{"process": 2, "type": "invoke", "f": "write", "value": 6, "time": 12}
{"process": "nemesis", "type": "info", "f": "start-partition", "value": "majority", "time": 15}
{"process": 1, "type": "ok", "f": "read", "value": 5, "time": 20}
{"process": 2, "type": "info", "f": "write", "value": 6, "time": 30, "error": "timed-out"}
{"process": 2, "type": ":invoke", "f": ":cas", "value": [5, 6], "time": 31}
{"process": 2, "type": "fail", "f": "cas", "value": [5, 6], "time": 32}
{"process": 3, "type": "invoke", "f": "read", "value": null, "time": 40}
"""
EDN_LINES = """; a comment
{:process 1, :type :invoke, :f :read, :value nil, :time 10 :index 0}
{:process 2 :type "invoke" :f "write" :value 6 :time 12}
#jepsen.history.Op{:process :nemesis, :type :info, :f :start, :value {:a #{1 2}}, :time 15}
{:type :ok, :process 1, :f :read, :value 5, :time 20}
{:process 2, :type :info, :f :write, :value 6, :time 30, :error [:timeout "a \\"quoted\\" text"]}
{:process 2, :type :invoke, :f :cas, :value [5 6], :time 31, :at #inst "2020-01-01T00:00:00Z"} #_ {:left "out"}
^{:meta 1} {:process 2, :type :fail, :f :cas, :value [5 6], :time 32}
{:process 3, :type :invoke, :f :read, :value nil, :time 40}
"""


@pytest.mark.parametrize(
    "text",
    [JSON_EVENTS, EDN_LINES, f"[{EDN_LINES}]", f"({EDN_LINES})", EDN_LINES.replace(",", "").replace("\n", " \n")],
    ids=["json", "edn-lines", "edn-vector", "edn-list", "edn-without-commas"],
)
def test_events_are_joined_to_operations(tmp_path: Path, text: str) -> None:
    """After an info a process number comes back; what has no end stays open."""
    assert sorted(read(tmp_path, text)) == sorted(EVENTS)


def test_jepsen_logs(tmp_path: Path) -> None:
    """The order of lines is all the time there is. Tabs or blanks; other lines of a log are left out."""
    text = (
        "INFO  jepsen.core - Running test\n"
        "INFO  jepsen.util - 3\t:invoke\t:write\t4\n"
        "INFO  jepsen.util - 1   :invoke   :cas   [4 2]\n"
        "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
        "INFO  jepsen.util - 3\t:ok\t:write\t4\n"
        "INFO  jepsen.util - 1   :fail   :cas   [4 2]\n"
        "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
        "INFO  jepsen.util - 0\t:info\t:read\t:timed-out\n"
    )
    assert read(tmp_path, text) == [
        (3, "write", "", 4, 1, 3, "ok", 4),
        (1, "cas", "", (4, 2), 2, 4, "fail", None),
        (0, "read", "", None, 5, None, "info", None),
    ]


def test_what_a_failed_compare_says_is_the_custom_of_the_format_or_as_it_was_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "INFO  jepsen.util - 1 :invoke :cas [4 2]\nINFO  jepsen.util - 1 :fail :cas [4 2]\n"
        "INFO  jepsen.util - 2 :invoke :cas [4 2]\nINFO  jepsen.util - 2 :fail :cas :timed-out\n"
    )
    assert [one.error for one in read_history(log).history] == [COMPARE_DIFFERED, "timed-out"]
    assert [one.error for one in read_history(log, failed="dropped").history] == [None, "timed-out"]
    events = tmp_path / "events"
    events.write_text(JSON_EVENTS)
    assert COMPARE_DIFFERED not in [one.error for one in read_history(events).history]
    assert COMPARE_DIFFERED in [one.error for one in read_history(events, failed="observed").history]


def test_a_failed_compare_that_was_observed_is_held_against_the_state(tmp_path: Path) -> None:
    """The register held 4 all the time, so the compare with 4 can't have failed."""
    log = tmp_path / "log"
    log.write_text(
        "INFO  jepsen.util - 1 :invoke :write 4\nINFO  jepsen.util - 1 :ok :write 4\n"
        "INFO  jepsen.util - 1 :invoke :cas [4 2]\nINFO  jepsen.util - 1 :fail :cas [4 2]\n"
    )
    assert linearizable(read_history(log).history, model="cas-register").valid is False
    assert linearizable(read_history(log, failed="dropped").history, model="cas-register").valid is True


def test_map_lines_with_keys(tmp_path: Path) -> None:
    text = (
        '{:process 9, :type :invoke, :f :append, :key "0", :value "x 9 0 y"}\n'
        '{:process 9, :type :ok, :f :append, :key "0", :value "x 9 0 y"}\n'
    )
    assert read(tmp_path, text) == [(9, "append", "0", "x 9 0 y", 1, 2, "ok", "x 9 0 y")]


def test_micro_operations(tmp_path: Path) -> None:
    text = (
        "{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 2] [:w 3 4]], :time 0}\n"
        "{:process 0, :type :ok, :f :txn, :value [[:r :x [1 2]] [:append :y 2] [:w 3 4]], :time 5}\n"
    )
    (one,) = read(tmp_path, text)
    assert one[3] == (("r", "x", None), ("append", "y", 2), ("w", 3, 4))
    assert one[7] == (("r", "x", (1, 2)), ("append", "y", 2), ("w", 3, 4))


INDEPENDENT = """
{:process 0, :type :invoke, :f :write, :value ["a" 1], :time 0}
{:process 0, :type :ok, :f :write, :value ["a" 1], :time 5}
{:process 0, :type :invoke, :f :read, :value ["b" nil], :time 6}
{:process 0, :type :ok, :f :read, :value ["b" nil], :time 9}
"""


@pytest.mark.parametrize("independent", [True, None])
def test_independent_keys_are_taken_out_of_the_values(tmp_path: Path, independent: bool | None) -> None:
    assert read(tmp_path, INDEPENDENT, independent=independent) == [
        (0, "write", "a", 1, 0, 5, "ok", 1),
        (0, "read", "b", None, 6, 9, "ok", None),
    ]


def test_values_stay_pairs_where_nobody_asked_for_keys(tmp_path: Path) -> None:
    assert read(tmp_path, INDEPENDENT, independent=False)[0][3] == ("a", 1)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_format_can_be_named(tmp_path: Path, name: str) -> None:
    texts = {
        "edn": EDN_LINES,
        "jepsen-log": "INFO  jepsen.util - 3 :invoke :write 4",
        "jsonl-events": JSON_EVENTS,
        "jsonl-ops": JSON_OPERATIONS,
    }
    path = tmp_path / "history"
    path.write_text(texts[name])
    assert read_history(path, format_name=name).format == name == read_history(path).format


OP = '{"client": 1, "f": "read", "value": 1, "call": 5, "return": 6}\n'
INVOKE = "{:process 1, :type :invoke, :f :read, :value nil, :time 10}\n"
DONE = "{:process 1, :type :ok, :f :read, :value 1, :time 20}\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "empty"),
        ("hello\n", None, "not recognised"),
        ('[{"client": 1}]', None, "JSON array"),
        (OP + "{", 2, "not an operation"),
        (OP + OP.replace(": 6", ": 4"), 2, "returns at 4, before its call at 5"),
        (OP + OP.replace('"return": 6', '"type": "ok"'), 2, "has no `return`"),
        (OP + OP.replace('"client": 1, ', ""), 2, "no `client`"),
        (
            OP + OP.replace("5,", "7,").replace(": 6", ": 90") + OP.replace("5,", "8,").replace(": 6", ": 9"),
            3,
            "while its",
        ),
        (OP + OP.replace("5", "9" * 30), 2, "call"),
        (OP + '{"client": 1, "f": "read", "call": 7, "value": ' + "[" * 200 + "]" * 200 + "}\n", 2, "nested"),
        (INVOKE + DONE + DONE, 3, "without an invoke"),
        (INVOKE + INVOKE, 2, "while its read of line 1 is open"),
        (INVOKE + DONE.replace("20", "9"), 2, "time goes backwards"),
        (INVOKE + DONE.replace(":read", ":write"), 2, "what it invoked in line 1 is read"),
        (INVOKE + DONE.replace(", :time 20", ""), 2, "some have none"),
        (INVOKE + "{:process 1 :type", 2, "ends inside a form"),
        (INVOKE + "}", 2, "nothing opened"),
        (INVOKE + "{:process 1]", 2, "was due"),
        (INVOKE + "{:process}", 2, "no value"),
        (INVOKE + '"open', 2, "not closed"),
        (INVOKE + "[" * 100, 2, "nested deeper"),
        (INVOKE + "3", 2, "no map"),
        (INVOKE + "{:process 1, :type :maybe, :f :read}", 2, "none of invoke"),
        ("[" + INVOKE, None, "without the closing"),
        ("[" + INVOKE + "] 3", 2, "follows the closing"),
        (INVOKE + "\xff", 2, ""),
        ("INFO  jepsen.util - 1 :invoke :write 4\nINFO  jepsen.util - 1 :done\n", 2, "no line of a Jepsen log"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    path = tmp_path / "history"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(HistoryError) as caught:
        read_history(path)
    if line is not None:
        assert caught.value.line == line
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "skipped", "left"),
    [
        (OP + "{\n" + OP.replace("5", "7").replace("6", "8"), 1, 2),
        (INVOKE + "{:process ]\n" + DONE, 1, 1),
        (INVOKE + "3\n" + DONE, 1, 1),
        (INVOKE + DONE.replace("20", "9"), 1, 1),
        (INVOKE + DONE + DONE, 1, 1),
        (JSON_EVENTS + "nonsense\n", 1, 4),
    ],
)
def test_lenient_reading_skips_and_counts(tmp_path: Path, text: str, skipped: int, left: int) -> None:
    path = tmp_path / "history"
    path.write_text(text)
    found = read_history(path, lenient=True)
    assert (found.skipped_count, len(found.history)) == (skipped, left)


def test_a_line_without_end_is_refused_before_it_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(
        OP.encode()
        + b'{"client": "'
        + b"x" * (LINE_BYTES + CHUNK_BYTES)
        + b'"}\n'
        + OP.replace("5", "7").replace("6", "8").encode()
    )
    with pytest.raises(HistoryError, match="more than 16 MiB"):
        read_history(path)
    assert read_history(path, lenient=True).skipped_count == 1


@pytest.mark.parametrize(
    "model", ["cas-register", "fifo-queue", "kv", "linearizable-set", "fencing-lock", "multi-register"]
)
def test_an_exported_history_reads_back_and_is_judged_alike(
    tmp_path_factory: pytest.TempPathFactory, model: str
) -> None:
    folder = tmp_path_factory.mktemp("export")

    @settings(max_examples=80, deadline=None, database=None)
    @given(st.integers(0, 1 << 40))
    def back(seed: int) -> None:
        history = drawn(MACHINES[model], seed)
        wanted = linearizable(history, model=model).valid
        for name, lines in (("h.jsonl", json_lines(history)), ("h.edn", edn_lines(history))):
            (folder / name).write_text("".join(f"{line}\n" for line in lines))
            again = read_history(folder / name, independent=False)
            assert len(again.history) == len(history)
            assert linearizable(again.history, model=model).valid == wanted

    back()


@pytest.mark.parametrize("line", [":info\t:timed-out", ":info  :read  :timed-out", ":info :timed-out nil"])
def test_a_log_may_say_why_an_operation_has_no_outcome_in_place_of_what_it_was(tmp_path: Path, line: str) -> None:
    text = f"INFO  jepsen.util - 5  :invoke  :read  nil\nINFO  jepsen.util - 5  {line}\n"
    ((process, function, *_, returned, outcome, _),) = read(tmp_path, text)
    assert (process, function, returned, outcome) == (5, "read", None, "info")
