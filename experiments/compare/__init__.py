"""Compare runs: which parameters differ, and by how much the metrics do."""
