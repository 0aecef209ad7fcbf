"""Schedules in files: named mixes, what a system is spared, a fault of the user's own, mistakes told with a remedy."""

from pathlib import Path
from textwrap import dedent

import pytest
from stage import Stage, step

from chaos.faults.partition import Partition
from chaos.user_fault import NoSuchFault, UserFault, load
from cluster.journal import FaultInjected, FaultSkipped
from experiments import schedule, timeline
from experiments.execute import execute
from experiments.fault_hits import hits
from experiments.spec import InvalidFile, load_spec, mixes
from experiments.unfold import unfold

HEAD = """
name: mixed
cluster: {nodes: 5, latency: lan}
system: {raft: {election_timeout: 300ms..600ms}}
workload: {register: {clients: 4, rate: 40/s, timeout: 1s}}
duration: 8s
check: [raft-safety]
"""

OWN = '''
from random import Random

from actors.settings import Target
from chaos.fault import Fault, Injected


class Hiccup(Fault, frozen=True):
    """Pause nodes, as a user would write it."""

    nodes: Target

    def inject(self, control, resolve, rng: Random) -> Injected:
        nodes = resolve(self.nodes)
        return Injected(nodes, "hiccup", control.pause(nodes))
'''


def plan_of(folder: Path, chaos: str):
    path = folder / "mixed.yaml"
    path.write_text(HEAD + dedent(chaos))
    return unfold(load_spec(path), fabric="sim")[0]


def problems_of(folder: Path, chaos: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        plan_of(folder, chaos)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def run(folder: Path, chaos: str):
    return execute(plan_of(folder, chaos), folder / "runs", group="g", watch=lambda _: None)


@pytest.mark.parametrize("name", mixes.names())
def test_every_mix_can_be_planned_and_raft_survives_it(tmp_path, name):
    finished = run(tmp_path, f"chaos: {name}")
    assert finished.summary.verdicts["raft-safety"].valid is True
    assert finished.recording.faults


def test_there_are_the_mixes_that_a_reader_expects():
    assert mixes.names() == ["clock-storm", "cloud-weather", "disk-trouble", "everything", "partitions"]


def test_a_mix_spares_a_system_what_it_does_not_claim_to_survive(tmp_path):
    plan = plan_of(tmp_path, "chaos: disk-trouble")
    assert set(plan.left_out) == {"lost_writes", "bit_rot", "misdirected_read", "wipe"}
    assert not {step.fault for step in plan.chaos} & set(plan.left_out)
    assert any("left out" in line and "wipe" in line for line in timeline.lines(plan))


def test_a_file_may_ask_for_what_is_beyond_the_fault_model(tmp_path):
    plan = plan_of(tmp_path, "chaos: {mixes: [disk-trouble], beyond_fault_model: true}")
    assert "wipe" in {step.fault for step in plan.chaos}
    assert plan.left_out == ()


def test_a_step_that_the_file_names_itself_is_never_left_out(tmp_path):
    plan = plan_of(tmp_path, "chaos: {mixes: [disk-trouble], steps: [{at: 2s, wipe: {nodes: n1}, for: 1s}]}")
    assert plan.chaos[0].fault == "wipe"


def test_a_fault_of_the_users_own(tmp_path):
    own = tmp_path / "hiccup.py"
    own.write_text(OWN)
    finished = run(tmp_path, f"chaos: [{{at: 3s, fault: '{own}:Hiccup', with: {{nodes: [n2]}}, for: 1s}}]")
    (record,) = finished.recording.faults
    assert (record.fault, record.detail, record.nodes) == ("Hiccup", "hiccup", (1,))
    assert record.healed_ns - record.injected_ns == 1_000_000_000


def test_a_fault_of_the_users_own_travels_by_its_place(tmp_path):
    """The Ray fabric's controller lives in another process, which loads the class itself."""
    import pickle

    own = tmp_path / "hiccup.py"
    own.write_text(OWN)
    fault = UserFault(place=f"{own}:Hiccup", settings={"nodes": ["n1"]})
    assert pickle.loads(pickle.dumps(fault)) == fault
    assert fault.loaded.nodes == ("n1",)


@pytest.mark.parametrize("place", ["nothing.py:X", "X", "x.txt:X", "{own}:Nobody", "{bad}:X"])
def test_a_place_without_a_fault_says_what_is_wrong(tmp_path, place):
    own, bad = tmp_path / "hiccup.py", tmp_path / "bad.py"
    own.write_text(OWN)
    bad.write_text("1 / 0")
    with pytest.raises(NoSuchFault, match=r"no file|no place|no class|can't be loaded"):
        load(place.format(own=own, bad=bad))


MISTAKES = {
    "chaos: nonsense": "there is no mix 'nonsense'",
    "chaos: [{crash: {nodes: n1}}]": "say when, by one of at, every, random, when, after",
    "chaos: [{at: 1s, every: 2s, crash: {nodes: n1}}]": "here are at and every",
    "chaos: [{at: 1s}]": "name exactly one fault, or one of sequence, together, wait",
    "chaos: [{at: 1s, crash: {nodes: n1}, pause: {nodes: n1}}]": "here are crash and pause",
    "chaos: [{when: moon is full, crash: {nodes: n1}}]": "is no condition",
    "chaos: [{after: first, crash: {nodes: n1}}]": "no step is called 'first'",
    "chaos: [{at: 1s, jitter: 1s, crash: {nodes: n1}}]": "jitter goes with every",
    "chaos: [{at: 1s, sequence: [{at: 2s, crash: {nodes: n1}}]}]": "begins when its turn comes; leave at out",
    "chaos: [{at: 1s, for: 2s, until: 3s, crash: {nodes: n1}}]": "leave one out",
    "chaos: [{at: 1s, sequence: [{wait: 1s}], for: 3s}]": "ends with what is in it",
    "chaos: [{at: 1s, name: a, wait: 1s}, {at: 2s, name: a, wait: 1s}]": "two steps are called a",
    "chaos: [{at: 1s, crash: {nodes: n7}}]": "can mean no server here",
    "chaos: [{at: 1s, together: [{crash: {nodes: random 9}}]}]": "can mean no server here",
    "chaos: [{random: {between: 0s}, crash: {nodes: n1}}]": "must be above 0",
    "chaos: [{at: 1s, max_affected: some, crash: {nodes: n1}}]": "is no limit",
    "chaos: {steady_state: sun shines, steps: []}": "is no condition",
    "chaos: {stop_when: [enough], steps: []}": "is no condition",
    "chaos: [{at: 1s, fault: nowhere.py:X}]": "there is no file",
    "chaos: [{at: 1s, clock_drift: {nodes: n1, ppm: -1000000}}]": "a clock runs forward",
    "chaos: [{at: 1s, jiter: {nodes: n1}}]": "did you mean jitter",
}


@pytest.mark.parametrize("chaos", MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_in_a_schedule_are_told_with_a_remedy(tmp_path, chaos):
    assert any(MISTAKES[chaos] in problem for problem in problems_of(tmp_path, chaos)), problems_of(tmp_path, chaos)


def test_a_planned_schedule_gives_the_same_steps_back(tmp_path):
    """The plan in a run's folder repeats the run."""
    from experiments import plan as plans

    plan = plan_of(tmp_path, "chaos: everything")
    assert schedule.steps_of(plans.decode(plans.encode(plan)).chaos) == schedule.steps_of(plan.chaos)


def test_a_fault_that_hits_nothing_is_pointed_out(tmp_path):
    chaos = """
    chaos:
      - {at: 3s, clock_freeze: {nodes: n1}, for: 1s}
      - {at: 5s, crash: {nodes: n2}, for: 1s}
      - {at: 5s, loss: {nodes: all, share: 30%}, for: 2s}
    """
    frozen, crashed, lossy = hits(run(tmp_path, chaos).recording)
    assert frozen.nothing
    assert (crashed.nothing, crashed.nodes) == (False, 1)
    assert lossy.messages > 20


# shapes of partitions


def cut_pairs(partition: Partition, servers: int = 5) -> set[tuple[int, int]]:
    stage = Stage(step(partition, at=1), servers=servers).until(2)
    assert len(stage.told(FaultInjected)) == 1
    return {(a, b) for rule in stage.levers.rules() for a in rule.sources for b in rule.targets}


@pytest.mark.parametrize("servers", [5, 6, 7, 9])
def test_in_a_ring_each_talks_to_a_majority_and_no_two_to_the_same_one(servers):
    cut = cut_pairs(Partition(ring="majorities"), servers)
    hears = [frozenset(other for other in range(servers) if (node, other) not in cut) for node in range(servers)]
    assert all(len(heard) > servers / 2 for heard in hears)
    assert len(set(hears)) == servers
    assert all((b, a) in cut for a, b in cut)


def test_three_servers_make_no_ring():
    assert len(Stage(step(Partition(ring="majorities"), at=1), servers=3).until(2).told(FaultSkipped)) == 1


def test_a_bridge_is_the_only_one_that_both_halves_reach():
    cut = cut_pairs(Partition(bridge=("n3",)))
    reach = {node: {other for other in range(5) if (node, other) not in cut} for node in range(5)}
    assert reach[2] == {0, 1, 2, 3, 4}
    assert all(len(reach[node]) in (2, 3, 4) and reach[node] != reach[2] for node in (0, 1, 3, 4))
