"""What a search knows of the operations to come: who needs which state, and who could bring it about."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from actors.history import Operation
from experiments.checkers.linearizable.models import NOTHING, Model, State


class ObjectHistory(NamedTuple):
    """What one object was asked. Intervals are closed: two that touch are concurrent."""

    key: str
    definite: Sequence[Operation]  # ok, or a fail that is an answer of the state; in order of invocation
    unknown: Sequence[Operation]  # at any time after the invoke, or never; taken as info, whatever they say
    bound_ns: int = 0  # each interval is widened by this on either side
    place: Callable[[Operation], int] = lambda _: 0  # in the whole history: settles who came first within a process


class Foresight:
    """Who still needs which state, and who could still bring it about."""

    def __init__(self, history: ObjectHistory, model: Model) -> None:
        self.shows = model.shows
        self.needs = [model.needs(operation) for operation in history.definite]
        self.gives = [model.gives(operation) for operation in history.definite]
        self.needed: dict[Hashable, int] = Counter(self.needs)
        self.given: dict[Hashable, int] = Counter(self.gives)
        self.unknown: dict[Hashable, int] = defaultdict(int)  # masks of the unknown ones that could give it
        for number, operation in enumerate(history.unknown):
            self.unknown[model.gives(operation)] |= 1 << number

    def lift(self, number: int) -> None:
        """This one takes effect."""
        self.needed[self.needs[number]] -= 1
        self.given[self.gives[number]] -= 1

    def put_back(self, number: int) -> None:
        """It does not after all."""
        self.needed[self.needs[number]] += 1
        self.given[self.gives[number]] += 1

    def is_missed(self, left: State, entered: State, unknown: int) -> bool:
        """Whether somebody would wait in vain for what the state that is left shows; `unknown` took effect.

        Two states may show the same (a key never written, and one where nothing was written): nobody waits then.
        """
        shown = self.shows(left)
        if shown == self.shows(entered) or shown is NOTHING or not self.needed.get(shown) or self.given.get(shown):
            return False
        return not self.unknown.get(shown, 0) & ~unknown
