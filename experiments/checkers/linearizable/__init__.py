"""Linearizability: every operation seems to take effect at one moment between its invoke and its return."""

from experiments.checkers.linearizable.checker import linearizable

__all__ = ["linearizable"]
