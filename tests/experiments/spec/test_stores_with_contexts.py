"""A store that gives contexts, and workloads that carry them, belong together; a file that parts them is refused."""

from pathlib import Path

import pytest

from experiments.spec import InvalidFile, load_spec

FILE = """
name: x
cluster: {{nodes: 3}}
system: {{{system}: {{}}}}
workload: {{{workload}: {settings}}}
duration: 1s
"""


def problems(tmp_path: Path, system: str, workload: str, settings: str = "{}") -> list[str]:
    path = tmp_path / "x.yaml"
    path.write_text(FILE.format(system=system, workload=workload, settings=settings))
    try:
        load_spec(path)
    except InvalidFile as error:
        return [problem.message for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("system", "workload", "settings", "said"),
    [
        ("dynamo", "siblings", "{}", ""),
        ("dynamo", "words", "{}", ""),
        ("dynamo", "register", "{mix: {read: 60%, write: 40%}}", ""),
        ("dynamo", "append", "{}", "dynamo has no function 'append'"),
        ("dynamo", "register", "{mix: {read: 60%, cas: 40%}}", "dynamo has no function 'cas'"),
        ("raft", "siblings", "{}", "siblings is for stores that give contexts: dynamo"),
        ("raft", "register", "{}", ""),
    ],
)
def test_a_workload_must_ask_for_what_the_system_knows(tmp_path, system, workload, settings, said) -> None:
    found = problems(tmp_path, system, workload, settings)
    assert [message.split(";")[0] for message in found] == ([said] if said else [])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{n: 3, r: 4}", "from 1 to n, which is 3; or a level such as quorum"),
        ("{r: any}", "any is for writes; a read needs at least one replica"),
        ("{partitioner: range}", "by first letter there are at most 26"),
        ("{tombstone_grace: 1s}", "it must be longer than hint_lifetime, or a hint brings back a delete"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path, settings: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        FILE.format(system="dynamo", workload="siblings", settings="{}").replace("dynamo: {}", f"dynamo: {settings}")
    )
    with pytest.raises(InvalidFile) as refused:
        load_spec(path)
    assert [problem.message for problem in refused.value.problems] == [said]
