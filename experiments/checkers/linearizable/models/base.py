"""What a sequential model is: what one object answers when operations come one after another."""

import enum
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

from actors.history import Operation, Outcome

State: TypeAlias = Any
"""The state of one object: hashable; equal states must behave alike."""


One = TypeVar("One", bound=Operation)


class UnusableModel(ValueError):
    """There is no such model, it isn't one, or it can't begin with a value. Says which, and what to do."""


class Refused(enum.Enum):
    """What `Model.step` returns where an operation can't have happened in a state."""

    REFUSED = "refused"


REFUSED: Final = Refused.REFUSED


class Nothing(enum.Enum):
    """No particular value; None would be one."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING


class Unseen(enum.Enum):
    """What a failed compare found, where nobody wrote it down."""

    UNSEEN = "unseen"


UNSEEN: Final = Unseen.UNSEEN
COMPARE_DIFFERED: Final = "compare-differed"
"""The error of a compare-and-set that failed because the state was another than it expected, nobody knows which."""


class Model:
    """One kind of object, as a sequential specification, and what helps to search its histories.

    A model has to have `functions`, `initial` and `step`. The other methods make the search faster; as they stand
    here they are right for every model.
    """

    functions: ClassVar[tuple[str, ...]] = ()  # what it understands
    aliases: ClassVar[Mapping[str, str]] = {}  # other names of functions
    initial: State = None
    together: ClassVar[bool] = False  # whether all keys make one object

    def step(self, state: State, function: str, value: Any, result: Any, outcome: Outcome) -> State | Refused:
        """The state after an operation that takes effect in `state`.

        Args:
            value: what the operation was given.
            result: what it was answered; not looked at if `outcome` is "info", for nothing was.
            outcome: "ok"; "fail" for an answer of the state (a compare that failed: `result` is what was found, or
                UNSEEN); "info" for one that takes effect without anybody having been told.

        Returns: REFUSED if no object in `state` answers so, or if an info would change nothing there.
        """
        raise NotImplementedError

    def effects(self, state: State, function: str, value: Any) -> Iterable[State]:
        """All states that an operation of unknown outcome may leave; none where it would change nothing."""
        after = self.step(state, function, value, None, "info")
        return () if after is REFUSED else (after,)

    def prepare(self, operation: Operation) -> Operation:
        """The operation with all in its value and result that `step` has to be told."""
        return operation

    def problem(self, operation: Operation) -> str | None:
        """What is wrong with the values of an operation, which this model understands by its name; None if nothing."""
        return None

    def only_looks(self, function: str, outcome: Outcome) -> bool:
        """Whether such an operation leaves every state as it is. The search takes these as early as it can."""
        return outcome == "fail"

    def visible(self, unknown: Sequence[One], definite: Sequence[Operation]) -> list[One]:
        """Of operations of unknown outcome those whose effect some definite one may have met.

        To leave out any of the others must never turn a linearizable history into one that is not.
        """
        return list(unknown)

    def simplify(self, unknown: Sequence[Operation], definite: Sequence[Operation]) -> "Model":
        """A model with smaller states that judges these operations alike."""
        return self

    def needs(self, operation: Operation) -> Hashable:
        """What a definite operation must be shown by the state in which it takes effect; NOTHING if that varies."""
        return NOTHING

    def gives(self, operation: Operation) -> Hashable:
        """What the state after an operation shows; NOTHING if it shows NOTHING, or what was never shown before."""
        return NOTHING

    def shows(self, state: State) -> Hashable:
        """What this state shows; two that show the same may still differ. NOTHING if operations can't need it."""
        return NOTHING

    prefixes: ClassVar[bool] = False  # whether states grow by appends, so that `begins` says what may become of them

    @staticmethod
    def begins(state: State, needed: Any) -> bool:
        """Whether a state that shows this may still become, or is, one that shows what is needed; by appends alone."""
        return bool(state == needed)

    def starting_from(self, value: Any) -> "Model":
        """The same model with another initial value, as `--initial` gives it. Raises UnusableModel if it can't be."""
        other: Model = type(self)()
        other.initial = value
        return other

    def known(self, function: str) -> bool:
        """Whether it understands a function, by its name or an alias."""
        return function in self.functions or function in self.aliases
