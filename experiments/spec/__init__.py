"""The experiment file, from its text to a valid `Spec`; `experiments.unfold` makes plans of it.

document   text -> tree that knows its lines          overrides  --set, variants: one tree laid over another
fields     unit markers -> what may be written        models     the file's keys, with defaults
messages   errors in our words                        checks     what only shows when parts are seen together
"""

from experiments.spec.load import Point, Spec, load_spec
from experiments.spec.problem import InvalidFile, Problem

__all__ = ["InvalidFile", "Point", "Problem", "Spec", "load_spec"]
