"""Simulator runs as Ray tasks: the same runs, whose folders come home."""

from pathlib import Path

import pytest

from experiments.batch import Batch, run_batch
from experiments.execute import Finished
from experiments.spec import load_spec
from experiments.store import load_recording, runs
from experiments.unfold import unfold

FILE = """
name: tasks
cluster: {nodes: 3}
system: raft
workload: {register: {clients: 2, rate: 40/s}}
duration: 2s
repeat: 4
"""


@pytest.mark.ray
def test_a_task_gives_the_run_that_this_process_gives(ray_session: None, tmp_path: Path) -> None:
    path = tmp_path / "tasks.yaml"
    path.write_text(FILE)
    plans = unfold(load_spec(path), fabric="sim")
    digests = {}
    for name, address in (("here", None), ("there", "local")):
        batch = Batch(plans=plans, store=tmp_path / name, group="g", address=address)
        ended = dict(run_batch(batch, lambda *_: None))
        assert all(isinstance(one, Finished) for one in ended.values())
        digests[name] = {place: one.summary.digest for place, one in ended.items()}
    assert digests["here"] == digests["there"]
    home = runs(tmp_path / "there")
    assert [run.state for run in home] == ["complete"] * 4
    assert all(load_recording(run.path).history for run in home)
