"""Small files and plans for tests of what is made of them."""

from pathlib import Path

from experiments.plan import Plan
from experiments.spec import load_spec
from experiments.unfold import unfold

SMALL = """\
name: small
cluster: {nodes: 3}
system: raft
workload: {register: {rate: 50/s, clients: 3, timeout: 500ms}}
duration: 1s
chaos: [{at: 200ms, crash: {nodes: random}, for: 300ms}]
check: [linearizable]
expect: [availability >= 0%]
"""


def plans_of(folder: Path, text: str = SMALL, *, fabric: str = "sim") -> list[Plan]:
    path = folder / "small.yaml"
    path.write_text(text)
    return unfold(load_spec(path), fabric=fabric)
