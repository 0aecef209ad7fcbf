"""What each command answers: its document, its exit code, and nothing else on standard output."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from cli.command import SMALL, Said, ended, splitbrain, start, write

from experiments import glossary
from experiments.cli import COMMANDS
from experiments.metrics import METRICS
from experiments.plan import decode
from experiments.spec.document import parse

RUN_KEYS = [
    "run", "dir", "experiment", "variant", "fabric", "seed", "params", "digest", "verdicts", "expect", "metrics",
    "messages", "wall_s", "virtual_s",
]  # fmt: skip
TWO = SMALL + "variants: {a: {}, b: {cluster.fsync: 20ms}}\nrepeat: 2\n"


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """`run` takes interrupts in a way of its own."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two runs of one file, by seeds 1 and 2."""
    folder = tmp_path_factory.mktemp("store")
    for seed in (1, 2):
        assert splitbrain("run", write(folder), "--seed", seed, store=folder / "runs").code == 0
    return folder / "runs"


def refused(said: Said) -> str:
    """The one clear error of bad input."""
    assert said.code == 2, said
    assert "Traceback" not in said.err
    assert said.err.strip()
    return said.err


class TestRun:
    def test_the_document_is_the_contract(self, tmp_path: Path) -> None:
        document = splitbrain("run", write(tmp_path), "--json", store=tmp_path / "s").document
        assert {"runs", "group", "expect", "ok"} <= document.keys()
        (run,) = document["runs"]
        assert list(run) == RUN_KEYS
        assert document["ok"] is True
        assert run["verdicts"]["linearizable"]["valid"] is True
        assert [line.keys() for line in run["expect"]] == [{"text", "holds", "value"}]
        assert {name.partition("[")[0] for name in run["metrics"]} <= METRICS.keys()
        assert all(isinstance(value, int | float) for value in run["metrics"].values())
        assert (run["fabric"], run["seed"], run["experiment"], run["virtual_s"]) == ("sim", 1, "small", 3.5)
        assert Path(run["dir"]).parent == tmp_path / "s"

    def test_variants_are_compared_at_the_top_and_paired_by_seed(self, tmp_path: Path) -> None:
        lines = "['a.latency_p50_ms <= b.latency_p50_ms', 'availability >= 1% in 90% of runs', 'b: ok >= 1']"
        path = write(tmp_path, TWO.replace("[availability >= 1%]", lines))
        document = splitbrain("run", path, "--json", store=tmp_path / "s").document
        assert [(run["variant"], run["seed"]) for run in document["runs"]] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
        assert [(line["text"], line["holds"], line["variants"]) for line in document["expect"]] == [
            ("a.latency_p50_ms <= b.latency_p50_ms", True, ["a", "b"]),
            ("availability >= 1% in 90% of runs", True, []),
        ]
        assert [len(line["value"]) for line in document["expect"]] == [2, 4]
        assert [len(run["expect"]) for run in document["runs"]] == [0, 0, 1, 1]
        assert len({run["dir"] for run in document["runs"]}) == 4

    @pytest.mark.parametrize(("sign", "code"), [("<=", 0), (">", 1)])
    def test_a_file_is_ok_if_the_cure_beats_the_naive_way_and_the_same_file_reversed_is_not(
        self, tmp_path: Path, sign: str, code: int
    ) -> None:
        text = TWO.replace("[availability >= 1%]", f"['a.latency_p50_ms {sign} b.latency_p50_ms']")
        said = splitbrain("run", write(tmp_path, text), "--json", store=tmp_path / "s")
        assert said.code == code
        assert said.document["ok"] is (code == 0)

    def test_one_variant_alone_is_not_judged_by_lines_that_speak_of_others(self, tmp_path: Path) -> None:
        text = TWO.replace("[availability >= 1%]", "['a.latency_p50_ms > b.latency_p50_ms', 'availability >= 1%']")
        said = splitbrain("run", write(tmp_path, text), "--variant", "a", "--json", store=tmp_path / "s")
        assert (said.code, said.document["expect"]) == (0, [])
        assert [run["seed"] for run in said.document["runs"]] == [1, 2]

    def test_a_violated_expectation_is_exit_code_1_and_ends_with_what_broke(self, tmp_path: Path) -> None:
        path = write(tmp_path, SMALL.replace("[availability >= 1%]", "[latency_p50_ms <= 1ns]"))
        said = splitbrain("run", path, store=tmp_path / "s")
        assert said.code == 1
        broke, replay, record = said.out.splitlines()[-3:]
        assert "latency_p50_ms <= 1ns" in broke
        assert replay.startswith("replay: splitbrain run ")
        assert Path(record.removeprefix("record: ")).name.endswith(said.out.split("run ")[1][:8])
        again = splitbrain(*replay.removeprefix("replay: splitbrain ").split(), "--json", store=tmp_path / "s")
        assert again.code == 1

    def test_an_unknown_expectation_is_exit_code_1_and_said_apart(self, tmp_path: Path) -> None:
        said = splitbrain(
            "run",
            write(tmp_path, SMALL.replace("availability >= 1%", "bytes_sent <= 1B")),
            "--json",
            store=tmp_path / "s",
        )
        assert said.code == 1
        assert said.document["runs"][0]["expect"] == [{"text": "bytes_sent <= 1B", "holds": "unknown", "value": None}]

    def test_a_plan_repeats_its_run_exactly(self, store: Path) -> None:
        first = splitbrain("show", "@last~1", "--json", store=store).document
        for target in (Path(first["dir"]) / "plan.json", first["dir"], first["run"]):
            again = splitbrain("run", target, "--json", store=store).document["runs"][0]
            assert again["digest"] == first["digest"]
            shutil.rmtree(again["dir"])

    def test_what_the_command_line_sets_is_in_the_plan_and_among_the_parameters(self, tmp_path: Path) -> None:
        said = splitbrain(
            "run", write(tmp_path), "--set", "cluster.nodes=5", "--duration", "2s", "--seed", 9, "--repeat", 2,
            "--json", store=tmp_path / "s",
        )  # fmt: skip
        runs = said.document["runs"]
        assert [run["seed"] for run in runs] == [9, 10]
        plan = decode((Path(runs[0]["dir"]) / "plan.json").read_bytes())
        assert (len(plan.cluster.regions), plan.duration_ns) == (5, 2_000_000_000)
        assert runs[0]["params"]["cluster.nodes"] == "5"

    def test_the_view_for_people_has_the_tables_and_no_escape_signs(self, tmp_path: Path) -> None:
        said = splitbrain("run", write(tmp_path), store=tmp_path / "s")
        assert all(word in said.out for word in ("p99 ms", "crash", "linearizable", "valid", "holds", "record: "))
        assert "\x1b" not in said.out + said.err

    @pytest.mark.parametrize(
        ("args", "says"),
        [
            (["none.yaml"], "none.yaml: the file can't be read: No such file"),
            (["a" * 300], "can't be read"),
            ([""], "this is a folder"),
            (["."], "this is a folder"),
            (["@last"], "there is no run"),
            (["FILE", "--variant", "x"], "no such variant; there is none"),
            (["FILE", "--set", "duration"], "write it as path=value"),
            (["FILE", "--set", "=5"], "write it as path=value"),
            (["FILE", "--set", "seed=\udcff"], "--set seed="),
            (["FILE", "--duration", "5"], "--set duration=5: duration: 5 is not a time such as 150ms or 2s"),
            (["FILE", "--seed", str(1 << 63)], "is no seed"),
            (["FILE", "--seed", "-1"], "Invalid value for '--seed'"),
            (["FILE", "--fabric", "cloud"], "'cloud' is not one of"),
            (["FILE", "--repeat", "1000000"], "the limit is 100,000"),
            (["FILE", "--store", "/proc/none/x"], "no run folder can be made in /proc/none/x"),
            ([], "Missing argument 'FILE'"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("as_json", [False, True])
    def test_wrong_input_is_one_error_and_exit_code_2(
        self, tmp_path: Path, args: list[str], says: str, as_json: bool
    ) -> None:
        path = str(write(tmp_path))
        given = [path if arg == "FILE" else arg for arg in args]
        said = splitbrain("run", *given, *(["--json"] if as_json else []), store=tmp_path / "s")
        assert says in refused(said)
        if as_json and said.out:
            assert says in said.document["error"]
        elif not as_json:
            assert said.out == ""
        assert not (tmp_path / "s").exists() or not any((tmp_path / "s").iterdir())


class TestPlans:
    """A plan.json that somebody wrote by hand."""

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"duration_ns": -5}, "duration_ns is -5"),
            ({"warm_up_ns": 10**18}, "it lies between 0 and the duration"),
            ({"seed": -1}, "the seed is -1"),
            ({"fabric": "cloud"}, "Invalid enum value 'cloud'"),
            ({"format": 99}, "format 99 is newer"),
            ({"system": {"name": "rafft", "settings": {}}}, "'rafft' is not known here"),
            ({"system": {"name": "raft", "settings": {"batch_sizes": 1}}}, "batch_sizes"),
            ({"system": {"name": "raft", "settings": {"mutant": "x"}}}, "'x' is not known here"),
            ({"workloads": []}, "there is no workload"),
            ({"workloads": [{"called": "r", "name": "register", "settings": {"clients": 0}}]}, "r.clients: "),
            ({"check": ["linearisable"]}, "did you mean linearizable"),
            ({"expect": ["availability > "]}, "breaks off"),
            ({"chaos": [{"fault": "crash", "settings": {}}]}, "nodes"),
            ({"chaos": [{"fault": "crahs", "settings": {}}]}, "'crahs' is not known here"),
            ({"chaos": [{"fault": "crash", "settings": {"nodes": ["n1"]}, "at_ns": -1}]}, "at_ns is -1"),
            ({"claims": [{"id": "C", "says": "", "metric": "x", "figure": "1"}]}, "there is no metric 'x'"),
            ({"cluster": {"regions": [], "latency": "lan"}}, "0 servers"),
            ({"cluster": {"regions": ["mars"], "latency": "aws-2025"}}, "no region 'mars'"),
            ({"cluster": {"regions": ["lan"], "latency": "lann"}}, "did you mean lan?"),
            ("not json", "is no plan"),
            ("{}", "missing required field"),
            ("", "is no plan"),
            ("\udcff", "is no plan"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_run_is_refused_before_anything_runs(
        self, store: Path, tmp_path: Path, change: Any, says: str
    ) -> None:
        kept = Path(splitbrain("show", "@last", "--json", store=store).document["dir"]) / "plan.json"
        path = tmp_path / "plan.json"
        plain = json.loads(kept.read_bytes())
        plain.pop("origin")
        text = change if isinstance(change, str) else json.dumps(plain | change)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert says in refused(splitbrain("run", path, store=tmp_path / "s"))
        assert not (tmp_path / "s").exists()

    @pytest.mark.parametrize(
        ("args", "says"),
        [
            (["--set", "duration=5s"], "is a resolved plan, with all of that settled"),
            (["--duration", "5s"], "is a resolved plan"),
            (["--variant", "a"], "is a resolved plan"),
            (["--seed", str(1 << 63)], "seeds end at"),
            (["--seed", str(10**40)], "seeds end at"),
            (["--repeat", "1000000"], "100,000 are allowed"),
        ],
    )
    def test_what_a_plan_has_settled_is_not_changed(self, store: Path, args: list[str], says: str) -> None:
        assert says in refused(splitbrain("run", "@last", *args, store=store))


class TestLooking:
    """list, show, check, compare."""

    def test_the_last_run_comes_first(self, store: Path) -> None:
        rows = splitbrain("list", "--json", store=store).document["runs"]
        assert [row["seed"] for row in rows] == [2, 1]
        assert {row["state"] for row in rows} == {"complete"}
        assert rows[0]["created_ns"] > rows[1]["created_ns"]
        assert all(row["run"] in splitbrain("list", store=store).out for row in rows)

    def test_an_empty_store_is_no_error(self, tmp_path: Path) -> None:
        assert splitbrain("list", "--json", store=tmp_path).document == {"runs": []}
        assert "no runs in" in splitbrain("list", store=tmp_path).out

    @pytest.mark.parametrize("what", glossary.LISTS)
    def test_every_list_has_a_line_of_help_for_each_row(self, what: str) -> None:
        rows = splitbrain("list", what, "--json").document[what]
        assert rows
        assert all(row["name"] and row["line"] for row in rows)
        shown = splitbrain("list", what).out
        assert all(row["name"] in shown for row in rows)

    @pytest.mark.parametrize("name", ["@last", "@last~1", "run", "dir", "prefix"])
    def test_a_run_has_several_names(self, store: Path, name: str) -> None:
        row = splitbrain("list", "--json", store=store).document["runs"][0]
        names = {"run": row["run"], "dir": row["dir"], "prefix": Path(row["dir"]).name}
        said = splitbrain("show", names.get(name, name), "--json", store=store)
        assert said.code == 0
        assert (said.document["run"] == row["run"]) is (name != "@last~1")

    def test_check_judges_again_from_the_folder_alone(self, store: Path) -> None:
        said = splitbrain("check", "@last", "--json", store=store)
        assert (said.code, said.document["ok"]) == (0, True)
        assert said.document["verdicts"]["linearizable"]["valid"] is True
        assert splitbrain("check", "@last", store=store).out.rstrip().endswith("ok")

    def test_compare_names_what_differs_and_every_ratio(self, store: Path) -> None:
        document = splitbrain("compare", "@last~1", "@last", "--json", store=store).document
        assert {"identical", "differs", "metrics", "verdicts"} <= document.keys()
        assert document["identical"] is False
        assert document["differs"] == [{"path": "seed", "a": 1, "b": 2}]
        for row in document["metrics"]:
            assert {"name", "a", "b", "ratio", "low", "high", "word", "pairs"} <= row.keys()
            if row["a"] and row["b"] is not None:
                assert row["ratio"] == pytest.approx(row["b"] / row["a"])

    def test_a_run_is_identical_to_itself_run_again(self, store: Path) -> None:
        again = splitbrain("run", "@last", "--json", store=store).document["runs"][0]
        document = splitbrain("compare", "@last~1", "@last", "--json", store=store).document
        assert (document["identical"], document["differs"]) == (True, [])
        shutil.rmtree(again["dir"])

    @pytest.mark.parametrize("command", ["show", "check", "compare"])
    @pytest.mark.parametrize("name", ["nope", "@lost", "@last~99", "", "a" * 300, ".", "/dev/null", "\udcff"])
    def test_a_run_that_is_not_there_is_one_error(self, store: Path, command: str, name: str) -> None:
        names = [name, name] if command == "compare" else [name]
        refused(splitbrain(command, *names, store=store))
        assert "error" in splitbrain(command, *names, "--json", store=store).document


class TestFiles:
    """validate, schema, new, explain."""

    def test_a_valid_file(self, tmp_path: Path) -> None:
        document = splitbrain("validate", write(tmp_path), "--json").document
        assert (document["valid"], document["problems"], document["runs"]) == (True, [], 1)
        assert "small.yaml: valid; 1 run" in splitbrain("validate", write(tmp_path)).out

    def test_all_problems_at_once_one_a_line(self, tmp_path: Path) -> None:
        path = write(tmp_path, SMALL.replace("nodes: 3", "node: 3").replace("duration: 3s", "duration: 3"))
        err = refused(splitbrain("validate", path))
        assert err.splitlines() == [
            f"{path}:3: cluster.node: unknown key 'node'; did you mean nodes?",
            f"{path}:6: duration: 3 is not a time such as 150ms or 2s; it needs a unit: 3s?",
        ]
        problems = splitbrain("validate", path, "--json").document["problems"]
        assert [(one["line"], one["path"]) for one in problems] == [(3, "cluster.node"), (6, "duration")]

    def test_what_is_odd_is_a_warning_and_no_error(self, tmp_path: Path) -> None:
        said = splitbrain("validate", write(tmp_path, SMALL.replace("at: 1s", "at: 5s")))
        assert said.code == 0
        assert (
            "small.yaml:8: chaos[0]: the fault comes after the end of the run, and is never injected (warning)"
            in said.out
        )

    def test_the_plan_and_its_timeline(self, tmp_path: Path) -> None:
        said = splitbrain("validate", write(tmp_path), "--plan")
        assert '"election_timeout_ns"' in said.out
        assert said.out.splitlines()[-1].lstrip().startswith("1s  |")
        document = splitbrain("validate", write(tmp_path), "--plan", "--json").document
        assert msgspec.convert(document["plans"][0], dict)["experiment"] == "small"
        assert [bar["start_ns"] for bar in document["timelines"][0]] == [1_000_000_000]

    @pytest.mark.parametrize("path", sorted(glossary.CATALOG.glob("*.yaml")), ids=lambda path: path.stem)
    def test_every_catalogue_file_is_valid_and_so_says_the_schema(self, path: Path) -> None:
        assert splitbrain("validate", path).code == 0
        jsonschema.validate(parse(path.read_text(), "f").plain(), splitbrain("schema").document)
        assert path.stem == parse(path.read_text(), "f").plain()["name"]

    @pytest.mark.parametrize("name", ["first", "123", "null", "1e5", "on", "a.b-c"])
    def test_a_new_file_is_valid_runs_and_names_itself(
        self, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert splitbrain("new", name, "--json").document == {"file": f"{name}.yaml"}
        assert splitbrain("validate", f"{name}.yaml").code == 0
        plain = parse((tmp_path / f"{name}.yaml").read_text(), "f").plain()
        assert plain["name"] == name
        jsonschema.validate(plain, splitbrain("schema").document)

    def test_a_new_file_holds_what_it_expects(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        splitbrain("new", "first")
        assert splitbrain("run", "first.yaml", store=tmp_path / "s").code == 0

    @pytest.mark.parametrize("name", ["", "a b", "-x/../", "none/x", "a" * 300, "é", "x\n"])
    def test_a_name_that_no_file_can_have(self, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        refused(splitbrain("new", "--", name))
        assert list(tmp_path.iterdir()) == []

    def test_a_file_is_replaced_only_by_force(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path, "mine", "x.yaml")
        assert "there already" in refused(splitbrain("new", "x"))
        assert (tmp_path / "x.yaml").read_text() == "mine"
        assert splitbrain("new", "x", "--force").code == 0

    def test_explain_says_what_a_term_is_and_which_file_shows_it(self) -> None:
        said = splitbrain("explain", "partition")
        assert all(word in said.out for word in ("partition (fault)", "isolate", "see it: splitbrain run "))
        document = splitbrain("explain", "partition", "--json").document
        assert document["terms"][0]["kind"] == "fault"
        assert [row["key"] for row in document["terms"][0]["settings"]][:3] == ["isolate", "halves", "between"]
        assert any("split-brain" in path for path in document["shown_by"])

    def test_an_unknown_term_is_told_which_comes_near(self) -> None:
        assert "did you mean partition" in refused(splitbrain("explain", "partiton"))


class TestTheCommandItself:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_help(self, command: str) -> None:
        said = splitbrain(command, "--help")
        assert said.code == 0
        assert "--json" in said.out

    def test_an_unknown_command_is_told_which_comes_near(self) -> None:
        assert "did you mean validate" in splitbrain("valdate").err

    def test_as_a_process_it_prints_one_document_and_progress_goes_elsewhere(self, tmp_path: Path) -> None:
        said = ended(start("run", write(tmp_path), "--json", store=tmp_path / "s"))
        assert said.code == 0
        assert said.document["ok"] is True
        assert "small on sim, seed 1:  ok" in said.err

    def test_as_a_process_bad_input_is_exit_code_2_without_a_traceback(self, tmp_path: Path) -> None:
        said = ended(start("run", write(tmp_path, SMALL.replace("3s", "3")), "--json", store=tmp_path / "s"))
        assert said.code == 2
        assert "Traceback" not in said.err
        assert said.document["problems"]

    def test_a_reader_who_has_gone_is_no_traceback(self, tmp_path: Path) -> None:
        process = start("list", "metrics", store=tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        process.wait(60)
        assert "Traceback" not in err

    def test_bugs_keep_their_traceback(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is not the user's fault must not look as if it were."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("experiments.cli.show.find_run", fail)
        with pytest.raises(ZeroDivisionError):
            splitbrain("show", "x", store=tmp_path)
