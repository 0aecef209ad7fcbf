"""The workloads that a file can name. To add one: its file here, and its line in WORKLOADS."""

from actors.workload import Workload
from experiments.workloads import append, register, siblings, words

WORKLOADS: dict[str, type[Workload]] = {
    "append": append.Append,
    "register": register.Register,
    "siblings": siblings.Siblings,
    "words": words.Words,
}
