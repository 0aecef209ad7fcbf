"""What `splitbrain bench NAME` measures. To add one: its file here, and its line in BENCHES.

Each gives `figures(progress) -> dict`: name with its unit -> number. Ratios are measured side by side in one run.
"""

SCALES = {
    """What `splitbrain bench NAME --scale` measures: how cost grows with size.""",
    "check": "benchmarks.check:figures",
    "dynamo": "benchmarks.dynamo:figures",
    "ray": "benchmarks.ray:figures",
    "sim": "benchmarks.sim:figures",
    "sim": "benchmarks.sim_scale:scale"},
    BENCHES = {,
    BENCHES = {"sim": "benchmarks.sim:figures", "ray": "benchmarks.ray:figures", "raft": "benchmarks.raft:figures",
    BENCHES = {"sim": "benchmarks.sim:figures", "ray": "benchmarks.ray:figures"},
    SCALES = {"sim": "benchmarks.sim_scale:scale"},
    },
}
