"""What a search knows of the operations to come: who needs which state, and who could bring it about."""

from collections import Counter, defaultdict
from collections.abc import Hashable

from experiments.checkers.linearizable.models import NOTHING, Model, State
from experiments.checkers.linearizable.objects import ObjectHistory


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


class GrowingForesight(Foresight):
    """The same where states grow: what is needed can come of every state and every write that it begins with."""

    def __init__(self, history: ObjectHistory, model: Model) -> None:
        super().__init__(history, model)
        self.begins = model.begins
        sources = [source for source in {*self.gives, *self.unknown} if source is not NOTHING]
        wanted = [needed for needed in self.needed if needed is not NOTHING]
        self.sources = {needed: [one for one in sources if model.begins(one, needed)] for needed in wanted}

    def is_missed(self, left: State, entered: State, unknown: int) -> bool:
        """Whether anybody would wait in vain once `entered` is there."""
        for needed, sources in self.sources.items():
            if not self.needed[needed] or self.begins(entered, needed):
                continue
            if any(self.given.get(one) or self.unknown.get(one, 0) & ~unknown for one in sources):
                continue
            return True
        return False
