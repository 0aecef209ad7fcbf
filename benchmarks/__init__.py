"""What `splitbrain bench NAME` measures. To add one: its file here, and its line in BENCHES.

Each gives `figures(progress) -> dict`: name with its unit -> number. Ratios are measured side by side in one run.
"""

BENCHES = {
    "sim": "benchmarks.sim:figures",
    "ray": "benchmarks.ray:figures",
    "faults": "benchmarks.faults:figures",
}
SCALES = {"sim": "benchmarks.sim_scale:scale"}
"""What `splitbrain bench NAME --scale` measures: how cost grows with size."""
