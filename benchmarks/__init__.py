"""What `splitbrain bench NAME` measures. To add one: its file here, and its line in BENCHES.

Each gives `figures(progress) -> dict`: name with its unit -> number. Ratios are measured side by side in one run.
"""

BENCHES = {
    "check": "benchmarks.check:figures",
    "dynamo": "benchmarks.dynamo:figures",
    "faults": "benchmarks.faults:figures",
    "raft": "benchmarks.raft:figures",
    "ray": "benchmarks.ray:figures",
    "sim": "benchmarks.sim:figures",
}

SCALES = {"sim": "benchmarks.sim_scale:scale"}
"""What `splitbrain bench NAME --scale` measures: how cost grows with size."""

WITH_PEERS = {"raft": "pysyncobj", "ray": "pysyncobj"}
"""Benches that can measure another implementation beside ours, and its module."""
