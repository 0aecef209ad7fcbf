"""Every wrong file is told all that is wrong with it at once: file, line, path, and the nearest right word."""

from pathlib import Path
from typing import NamedTuple

import pytest

from experiments.spec import InvalidFile, Spec, load_spec
from experiments.spec.load import MAX_PROBLEMS, MAX_RUNS
from experiments.spec.models import MAX_NODES, MAX_REPEATS
from experiments.spec.problem import MAX_SHOWN, Problem, path_text
from experiments.spec.schedule import MAX_STEPS

LINES = {
    "name": "name: t",
    "cluster": "cluster: {nodes: 5}",
    "system": "system: {raft: {}}",
    "workload": "workload: {register: {rate: 10/s}}",
    "duration": "duration: 10s",
    "chaos": "chaos: []",
    "check": "check: [linearizable]",
    "expect": "expect: []",
}
"""A valid file, one key a line."""


def file_with(**changes: str | None) -> str:
    """The valid file with some lines changed, left out (None) or added at its end."""
    lines = LINES | {key: f"{key}: {value}" for key, value in changes.items() if value is not None}
    return "\n".join(line for key, line in lines.items() if changes.get(key, "") is not None) + "\n"


def load(tmp_path: Path, text: str) -> Spec:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    return load_spec(path)


def problems(tmp_path: Path, text: str) -> list[Problem]:
    with pytest.raises(InvalidFile) as error:
        load(tmp_path, text)
    return list(error.value.problems)


class Wrong(NamedTuple):
    """One mistake: a key and its value (None: left out), the line and path that are named, words of the message."""

    key: str
    value: str | None
    line: int
    path: str
    says: str


REGIONS = "{us-east-1: 2, eu-west-1: 1}"
WRONG = [
    # keys
    Wrong("clutser", "{nodes: 3}", 9, "clutser", "unknown key 'clutser'; did you mean cluster?"),
    Wrong("cluster", "{node: 5}", 2, "cluster.node", "did you mean nodes?"),
    Wrong("system", "{rafft: {}}", 3, "system.rafft", "did you mean raft?"),
    Wrong(
        "system", "{raft: {election_timout: 1s..2s}}", 3, "system.raft.election_timout", "did you mean election_timeout"
    ),
    Wrong("workload", "{register: {client: 5}}", 4, "workload.register.client", "did you mean clients?"),
    Wrong("workload", "[{regster: {}}]", 4, "workload[0].regster", "did you mean register?"),
    Wrong("chaos", "[{at: 1s, crahs: {nodes: n1}}]", 6, "chaos[0].crahs", "did you mean crash?"),
    Wrong("chaos", "[{At: 1s, crash: {nodes: n1}}]", 6, "chaos[0].At", "did you mean at or"),
    Wrong("name", None, 1, "name", "the key 'name' is missing"),
    Wrong("duration", None, 1, "duration", "missing"),
    Wrong("chaos", "[{at: 1s, crash: {}}]", 6, "chaos[0].crash", "exactly one of nodes, host_of"),
    # what YAML 1.1 would have read
    Wrong("system", "{raft: {pre_vote: yes}}", 3, "system.raft.pre_vote", "'yes' is not true or false; write true"),
    Wrong("system", "{raft: {pre_vote: off}}", 3, "system.raft.pre_vote", "write false"),
    Wrong("duration", "1:30", 5, "duration", "write 90s"),
    Wrong("cluster", "{nodes: 010}", 2, "cluster.nodes", "'010' is not a whole number; write 10"),
    Wrong("duration", "010", 5, "duration", "is not a time"),
    # kinds
    Wrong("name", "5", 1, "name", "5 is not a text"),
    Wrong("name", "a b", 1, "name", "'a b' is no name; use letters, digits, dots and dashes"),
    Wrong("cluster", "5", 2, "cluster", "5 is not a mapping"),
    Wrong("cluster", "", 2, "cluster", "nothing is not a mapping"),
    Wrong("cluster", "{nodes: 2.5}", 2, "cluster.nodes", "2.5 is not a whole number"),
    Wrong("cluster", "{nodes: true}", 2, "cluster.nodes", "true is not a whole number"),
    Wrong("check", "linearizable", 7, "check", "'linearizable' is not a list"),
    Wrong("expect", "[5]", 8, "expect[0]", "5 is not a text"),
    Wrong("chaos", "[crash]", 6, "chaos[0]", "'crash' is not a mapping"),
    Wrong("record", "everything", 9, "record", "'everything' is not one of history, events"),
    # units and limits
    Wrong("duration", "10", 5, "duration", "it needs a unit: 10s?"),
    Wrong("duration", "10sec", 5, "duration", "there is no unit 'sec' here"),
    Wrong("duration", "-10s", 5, "duration", "-10s is negative"),
    Wrong("duration", "0s", 5, "duration", "longer than nothing"),
    Wrong("duration", "2000d", 5, "duration", "longer than a year"),
    Wrong("warm_up", "10s", 9, "warm_up", "must end before the run does"),
    Wrong("workload", "{register: {rate: 10}}", 4, "workload.register.rate", "did you mean 10/s?"),
    Wrong("workload", "{register: {rate: 0/s}}", 4, "workload.register.rate", "must be above 0"),
    Wrong("workload", "{register: {clients: 0}}", 4, "workload.register.clients", "there are from 1 to 100,000"),
    Wrong("workload", "{register: {clients: 99999999999}}", 4, "workload.register.clients", "99,999,999,999 clients"),
    Wrong("workload", "{register: {mix: {read: 0.5, write: 0.5}}}", 4, "workload.register.mix", "did you mean 50%?"),
    Wrong("workload", "{register: {mix: {read: 50%, write: 40%}}}", 4, "workload.register.mix", "not 100%"),
    Wrong("workload", "{register: {mix: {raed: 100%}}}", 4, "workload.register.mix.raed", "did you mean read?"),
    Wrong("system", "{raft: {election_timeout: 2s..1s}}", 3, "system.raft.election_timeout", "ends before it begins"),
    Wrong(
        "system",
        "{raft: {mutant: comit-without-majority}}",
        3,
        "system.raft.mutant",
        "did you mean commit-without-majority",
    ),
    Wrong("seed", "-1", 9, "seed", "-1 is no seed"),
    Wrong("seed", "[1, 1]", 9, "seed", "a seed stands twice"),
    Wrong("seed", "99999999999999999999", 9, "seed", "is no seed"),
    Wrong("repeat", "0", 9, "repeat", "0 is too small; the limit is 1"),
    Wrong("repeat", "1000000", 9, "repeat", f"the limit is {MAX_REPEATS:,}"),
    # clusters
    Wrong("cluster", "{}", 2, "cluster", "say either nodes: 5, or regions"),
    Wrong("cluster", f"{{nodes: 3, regions: {REGIONS}}}", 2, "cluster", "leave one out"),
    Wrong("cluster", "{nodes: 0}", 2, "cluster.nodes", "too small; the limit is 1"),
    Wrong("cluster", "{nodes: 99999999999}", 2, "cluster.nodes", f"the limit is {MAX_NODES:,}"),
    Wrong("cluster", "{regions: {us-east-l: 2}}", 2, "cluster.regions.us-east-l", "us-east-1?"),
    Wrong("cluster", "{regions: {us-east-1: 0}}", 2, "cluster.regions.us-east-1", "0 servers; a region has from 1"),
    Wrong("cluster", "{nodes: 3, latency: aws-2026}", 2, "cluster.latency", "did you mean aws-2025"),
    Wrong("cluster", "{nodes: 3, latency: aws-2025}", 2, "cluster.nodes", "say where the nodes are"),
    # schedules
    Wrong("chaos", "[{crash: {nodes: n1}}]", 6, "chaos[0]", "say when"),
    Wrong("chaos", "[{at: 1s, every: 2s, crash: {nodes: n1}}]", 6, "chaos[0]", "here are at and every"),
    Wrong("chaos", "[{at: 1s}]", 6, "chaos[0]", "name exactly one fault"),
    Wrong("chaos", "[{at: 1s, crash: {nodes: n1}, pause: {nodes: n1}}]", 6, "chaos[0]", "here are crash and pause"),
    Wrong("chaos", "[{at: 1s, crash: {nodes: n1}, for: 11s}]", 6, "chaos[0].for", "lasts longer than the run"),
    Wrong("chaos", "[{at: 1s, crash: {nodes: n1}, for: 0s}]", 6, "chaos[0].for", "does nothing"),
    Wrong("chaos", "[{at: -1s, crash: {nodes: n1}}]", 6, "chaos[0].at", "-1s is negative"),
    Wrong("chaos", "[{every: 0s, crash: {nodes: n1}}]", 6, "chaos[0].every", "must be above 0"),
    Wrong(
        "chaos",
        "[{at: 1s, crash: {nodes: n6}}]",
        6,
        "chaos[0].crash.nodes",
        "'n6' can mean no server here; the servers are n1 to n5",
    ),
    Wrong("chaos", "[{at: 1s, crash: {nodes: leadr}}]", 6, "chaos[0].crash.nodes", "did you mean leader"),
    Wrong("chaos", "[{at: 1s, crash: {nodes: eu-west-1}}]", 6, "chaos[0].crash.nodes", "can mean no server here"),
    Wrong("chaos", "[{at: 1s, crash: {nodes: []}}]", 6, "chaos[0].crash.nodes", "the list names nobody"),
    Wrong("chaos", "[{at: 1s, partition: {}}]", 6, "chaos[0].partition", "exactly one of isolate, halves, between"),
    Wrong(
        "chaos", "[{at: 1s, partition: {halves: thirds}}]", 6, "chaos[0].partition.halves", "write random or regions"
    ),
    Wrong("chaos", "[{at: 1s, partition: {between: [n1]}}]", 6, "chaos[0].partition.between", "not two targets"),
    Wrong(
        "chaos",
        "[{at: 1s, partition: {isolate: n1, direction: up}}]",
        6,
        "chaos[0].partition.direction",
        "both, in, out",
    ),
    Wrong("chaos", "[{at: 1s, loss: {nodes: n1, share: 0.5}}]", 6, "chaos[0].loss.share", "did you mean 50%?"),
    # judges
    Wrong("check", "[linearisable]", 7, "check[0]", "did you mean linearizable?"),
    Wrong("expect", "[availabilty >= 95%]", 8, "expect[0]", "did you mean availability?"),
    Wrong("expect", "[latency_p99_ms <= 5]", 8, "expect[0]", "a time is compared with a plain number"),
    Wrong("expect", "['latency_p99_ms[op=raed] <= 5s']", 8, "expect[0]", "did you mean read?"),
    Wrong("expect", "['naive: availability >= 5%']", 8, "expect[0]", "there is no variant 'naive'"),
    Wrong("expect", "[linearisable is valid]", 8, "expect[0]", "did you mean linearizable?"),
]


def test_the_file_that_all_mistakes_are_put_into_is_right(tmp_path: Path) -> None:
    assert len(load(tmp_path, file_with()).points) == 1


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.key}-{wrong.value}"[:60])
def test_a_mistake_is_named_with_its_line_its_path_and_what_would_be_right(tmp_path: Path, wrong: Wrong) -> None:
    found = problems(tmp_path, file_with(**{wrong.key: wrong.value}))
    assert [(one.file, one.line, one.path) for one in found] == [(str(tmp_path / "f.yaml"), wrong.line, wrong.path)]
    assert wrong.says in found[0].message


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, file_with(name="5", cluster="{node: 5}", duration="10", check="x", seed="-1"))
    assert [(one.line, one.path) for one in found] == [
        (1, "name"), (2, "cluster.node"), (5, "duration"), (7, "check"), (9, "seed")
    ]  # fmt: skip


def test_mistakes_that_take_several_parts_to_see_are_told_at_once_too(tmp_path: Path) -> None:
    text = file_with(
        cluster="{nodes: 2}", warm_up="11s", chaos="[{at: 1s, crash: {nodes: n3}}, {pause: {nodes: minority}}]"
    )
    found = [(one.line, one.path) for one in problems(tmp_path, text)]
    assert found == [(6, "chaos[0].crash.nodes"), (6, "chaos[1]"), (6, "chaos[1].pause.nodes"), (9, "warm_up")]


@pytest.mark.parametrize(
    ("count", "written"),
    [(MAX_STEPS + 1, f"{MAX_STEPS + 1:,} entries; {MAX_STEPS:,} are allowed"), (100_000, "are allowed")],
)
def test_too_many_steps_are_refused_with_the_figure(tmp_path: Path, count: int, written: str) -> None:
    text = file_with(chaos="\n" + "- {at: 1s, crash: {nodes: n1}}\n" * count)
    (problem,) = problems(tmp_path, text)
    assert written in problem.message


def test_100000_steps_that_are_one_alias_each_are_refused_too(tmp_path: Path) -> None:
    text = file_with(chaos="\n- &s {at: 1s, crash: {nodes: n1}}\n" + "- *s\n" * 99_999)
    (problem,) = problems(tmp_path, text)
    assert "more than 200,000 values" in problem.message


@pytest.mark.parametrize(
    "chaos",
    [
        "[{every: 1ns, crash: {nodes: n1}}]",
        "\n" + "- {every: 1ms, crash: {nodes: n1}}\n" * 20,
        "[{every: 1s, sequence: [{crash: {nodes: n1}, for: 1ms, repeat: 20000}]}]",
        "[{at: 1s, repeat: 1000, sequence: [{repeat: 1000, sequence: [{crash: {nodes: n1}, for: 1ms}]}]}]",
    ],
)
def test_a_schedule_of_too_many_injections_is_refused_with_the_figure(tmp_path: Path, chaos: str) -> None:
    assert any(
        "injections" in one.message and "100,000 are allowed" in one.message
        for one in problems(tmp_path, file_with(chaos=chaos))
    )


def test_regions_of_more_servers_than_memory_holds_are_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, file_with(cluster="{regions: {us-east-1: 999999999999}}"))
    assert [one.path for one in found] == ["cluster.regions.us-east-1"]


def test_too_many_runs_are_refused_with_the_figure(tmp_path: Path) -> None:
    found = problems(tmp_path, file_with(repeat="1000", matrix=f"{{workload.register.keys: {list(range(1, 102))}}}"))
    assert [one.message for one in found] == [f"that makes 101,000 runs; {MAX_RUNS:,} are allowed"]


def test_seeds_that_count_beyond_what_a_table_holds_are_refused(tmp_path: Path) -> None:
    load(tmp_path, file_with(seed=str((1 << 63) - 2), repeat="2"))
    found = problems(tmp_path, file_with(seed=str((1 << 63) - 2), repeat="3"))
    assert [(one.line, one.path) for one in found] == [(9, "seed")]


def test_of_a_file_with_50000_mistakes_the_first_thousand_are_told(tmp_path: Path) -> None:
    found = problems(tmp_path, file_with() + "".join(f"k{number}: 1\n" for number in range(50_000)))
    assert len(found) == MAX_PROBLEMS + 1
    assert "more than 1,000 mistakes" in found[0].message


def test_no_message_is_longer_than_a_person_reads_or_holds_what_a_terminal_obeys(tmp_path: Path) -> None:
    long, sneaky = "k" * 900_000, '"a\\e[31mb"'
    for text in (f"? {long}\n: 1\n", f"{sneaky}: 1\n", f"check: [{sneaky}, {long}]\n"):
        for problem in problems(tmp_path, file_with() + text if "check" not in text else file_with(check=None) + text):
            assert len(problem.message) <= 2 * MAX_SHOWN
            assert (problem.path + problem.message).isprintable()


def test_an_unknown_word_near_no_known_one_is_told_what_there_is(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, file_with(check="[zzz]"))
    assert "linearizable" in problem.message


def test_paths_are_written_as_people_write_them() -> None:
    assert path_text(("chaos", 0, "partition", "between", 1)) == "chaos[0].partition.between[1]"
    assert path_text(()) == ""


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"chaos": "[{at: 10s, crash: {nodes: n1}}]"}, "chaos[0]", "never injected"),
        ({"chaos": "[{at: 8s, crash: {nodes: n1}, for: 5s}]"}, "chaos[0].for", "the run ends first"),
        ({"chaos": "[{every: 2s, crash: {nodes: n1}, for: 3s}]"}, "chaos[0].for", "before it has healed"),
        ({"check": None}, "", "ok whatever happens"),
        ({"variants": "{a: {}, b: {}}", "expect": "[a.latency_p99_ms <= b.latency_p99_ms]"}, "expect[0]", "over 1 run"),
        ({"claim": "[{id: C1, says: x, metric: latency_p99_ms, figure: 1ms}]"}, "claim[0]", "out of 1 run"),
    ],
)
def test_what_is_legal_but_odd_is_a_warning(tmp_path: Path, changes: dict[str, str], path: str, says: str) -> None:
    (warning,) = load(tmp_path, file_with(**changes)).warnings
    assert warning.path == path
    assert says in warning.message


@pytest.mark.parametrize(
    ("claim", "path", "says"),
    [
        ("{id: C1, says: x, metric: latency_p99, figure: 1ms}", "claim[0].metric", "did you mean latency_p99_ms"),
        ("{id: C1, says: x, metric: latency_p99_ms, figure: 1}", "claim[0].figure", "a time"),
        ("{id: C1, says: x, metric: latency_p99_ms, figure: 1mss}", "claim[0].figure", "did you mean ms"),
        ("{id: C1, says: x, metric: latency_p99_ms, figure: 1ms, verdict: disagrees}", "claim[0]", "say why"),
        ("{id: C1, says: x, metric: a.latency_p99_ms, figure: 1ms}", "claim[0].metric", "there is no variant 'a'"),
        ("{id: C1, says: x, metric: 5 + 5, figure: 1ms}", "claim[0].metric", "left over"),
        ("{says: x, metric: latency_p99_ms, figure: 1ms}", "claim[0].id", "missing"),
        ("{id: C1, says: x, metric: latency_p99_ms, figure: 1ms, within: 0.1}", "claim[0].within", "did you mean 10%?"),
    ],
)
def test_a_wrong_claim_is_named_with_its_place(tmp_path: Path, claim: str, path: str, says: str) -> None:
    (problem,) = problems(tmp_path, file_with(claim=f"[{claim}]"))
    assert (problem.line, problem.path) == (9, path)
    assert says in problem.message
