"""The store: one folder a run, complete by itself and valid at any moment; an index is always read from the folders.

runs/<when>-<name>-<short id>/
  experiment.yaml   as given              plan.json      as resolved, with its origin
  lock              held while it runs    journal/       while it runs: one file a host
  history.parquet   events.parquet        metrics.parquet   once it is over
  verdicts.json     summary.json          the last to be written: a folder without it is running or cut off
"""

from experiments.store.folder import OpenRun, StoredRun, StoreError, create, open_run, runs, unreadable
from experiments.store.naming import find_group, find_run
from experiments.store.origin import Origin
from experiments.store.recorded import load_recording, seal
from experiments.store.summary import Expected, Summary

__all__ = [
    "Expected",
    "OpenRun",
    "Origin",
    "StoreError",
    "StoredRun",
    "Summary",
    "create",
    "find_group",
    "find_run",
    "load_recording",
    "open_run",
    "runs",
    "seal",
    "unreadable",
]
