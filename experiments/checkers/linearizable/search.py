"""The search for a linearization: Wing and Gong's, with Lowe's memoisation and just-in-time linearization.

Sources: Wing and Gong, "Testing and verifying concurrent objects", JPDC 17, 1993; Lowe, "Testing for
linearizability", Concurrency and Computation 29(4), 2017. The last rule below is ours; for registers whose values are
unique it comes to the zones of Gibbons and Korach, "Testing shared memories", SIAM J. Computing 26(4), 1997.

The search holds a *configuration*: which operations have taken effect, and the state that they left. The next one to
take effect may be any that was invoked before the earliest return among those still to come (that operation is *due*).
Five rules keep the number of configurations small, none of which loses a linearization:

- Just in time: the due operation is tried first, others before it only where that leads to no end.
- What only looks (a read, a failed compare) takes effect as soon as the state allows it: it changes nothing, and
  had it come later, it could be moved to the front.
- An operation of unknown outcome may take effect at any time from its invoke on, or never.
- A configuration seen before, or one that differs from it only in that more unknown ones took effect, is not entered
  again: whatever can follow it can follow the one seen before. Of unknown ones that are alike the earliest goes first.
- A state is not left while one still to come needs it and nothing still to come could bring it back.
"""

import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from actors.history import Operation, Outcome
from actors.message import Value
from experiments.checkers.linearizable.foresight import Foresight, GrowingForesight
from experiments.checkers.linearizable.memory import Memory, windows
from experiments.checkers.linearizable.models import REFUSED, Model, State
from experiments.checkers.linearizable.objects import ObjectHistory, Placed

NEVER_NS = 1 << 63
LOOK_AT_CLOCK_EVERY = 256  # turns of the loop

Question: TypeAlias = tuple[str, Value, Value, Outcome]
"""function, value, result, outcome: what a model is asked"""


class Limits(NamedTuple):
    """When to give up."""

    deadline_s: float  # of time.monotonic()
    configurations: int


class Finding(NamedTuple):
    """What a method found out about one object."""

    linearizable: bool | None  # None: it gave up
    configurations: int
    reason: str = ""  # why it gave up
    furthest_ns: int = 0  # all operations that return before this can be ordered
    timed_out: bool = False


class Frame:
    """A configuration on the way from the start to the present one, and what is still to be tried from it."""

    __slots__ = ("candidates", "choices", "due", "expanded", "looked", "lowest", "mask", "state", "taken", "unknown")

    def __init__(self, lowest: int, mask: int, unknown: int, state: State) -> None:
        self.lowest = lowest
        self.mask = mask
        self.unknown = unknown
        self.state = state
        self.looked: list[int] = []  # operations that took effect on entering, for they only look
        self.candidates: list[int] = []  # definite ones that may come next
        self.due = -1
        self.choices: list[tuple[int, State]] = []  # tried from the end; ~n is the n-th unknown one
        self.expanded = False  # whether `choices` has had all that there are
        self.taken = -1  # the definite operation that is being tried, -1 if none


class Search:
    """One search. Definite operations are numbered in order of invocation; those to come form a linked list."""

    def __init__(self, history: ObjectHistory, model: Model) -> None:
        self.history = history
        self.step = model.step
        self.effects = model.effects
        self.foresight = (GrowingForesight if model.prefixes else Foresight)(history, model)
        bound = history.bound_ns
        definite = history.definite
        self.count = count = len(definite)
        self.asked = [_question(operation) for operation in definite]
        self.looks = [model.only_looks(operation.function, operation.outcome) for operation in definite]
        self.invoke = [operation.invoke_ns - bound for operation in definite]
        self.due_ns = [return_ns(operation) + bound for operation in definite]
        self.before = _process_order(history)
        self.after = [*range(1, count + 1), 0]  # the list of those to come; its head is number `count`
        self.ahead = [count, *range(count)]
        self.waits = [True] * count
        self.unknown_asked = [(operation.function, operation.value) for operation in history.unknown]
        self.unknown_invoke = [operation.invoke_ns - bound for operation in history.unknown]
        self.unknown_before = _process_order_of_unknown(history)
        self.any_held_up = any(self.unknown_before)
        self.memory = Memory(windows(self.invoke, self.due_ns))
        self.classes = _classes(history.unknown)
        self.configurations = 0
        self.furthest_ns = 0
        self.frames: list[Frame] = []

    def run(self, initial: State, limits: Limits) -> Finding:
        """Search from this state. Depth first, on a stack of its own: the length of a history is no limit."""
        if time.monotonic() > limits.deadline_s:
            return self.give_up("time was up before it began", timed_out=True)
        turns = 0
        if self.enter(Frame(0, 0, 0, initial)):
            return Finding(True, self.configurations)
        while self.frames:
            if self.memory.held >= limits.configurations:
                return self.give_up(f"{self.memory.held:,} configurations were not enough")
            turns += 1
            if turns % LOOK_AT_CLOCK_EVERY == 0 and time.monotonic() > limits.deadline_s:
                return self.give_up(f"time was up after {self.configurations:,} configurations")._replace(
                    timed_out=True
                )
            frame = self.frames[-1]
            if frame.taken >= 0:
                self.put_back(frame.taken)
                frame.taken = -1
            if not frame.choices and not frame.expanded:
                self.expand(frame)
            if not frame.choices:
                self.leave()
                continue
            choice, state = frame.choices.pop()
            following = self.take(frame, choice, state)
            if state != frame.state and self.foresight.is_missed(frame.state, state, following.unknown):
                continue
            if self.enter(following):
                return Finding(True, self.configurations)
        return Finding(False, self.configurations, furthest_ns=self.furthest_ns)

    def give_up(self, reason: str, *, timed_out: bool = False) -> Finding:
        return Finding(None, self.configurations, reason, timed_out=timed_out)

    def enter(self, frame: Frame) -> bool:
        """Go on to a configuration, unless one as good was seen. Returns: whether nothing is left to order."""
        self.look(frame)
        if self.after[self.count] == self.count:
            return True
        if not self.memory.is_new(frame.lowest, (frame.lowest, frame.mask, frame.state), frame.unknown):
            self.undo_looks(frame)
            return False
        self.configurations += 1
        self.frames.append(frame)
        due = frame.due
        self.furthest_ns = max(self.furthest_ns, self.due_ns[due])
        if not self.looks[due]:
            state = self.step(frame.state, *self.asked[due])
            if state is not REFUSED:
                frame.choices.append((due, state))
                return False
        self.expand(frame)
        return False

    def look(self, frame: Frame) -> None:
        """Let everything take effect that only looks and may; find the candidates and which one is due.

        One pass is enough: only those invoked earlier hold an operation up, and these have been passed.
        """
        invoke, due_ns, before, waits, after = self.invoke, self.due_ns, self.before, self.waits, self.after
        limit_ns = NEVER_NS
        number = after[self.count]
        while number != self.count and invoke[number] <= limit_ns:
            held_up = before[number] >= 0 and waits[before[number]]
            if not held_up:
                if self.looks[number] and self.step(frame.state, *self.asked[number]) is not REFUSED:
                    self.lift(number)
                    self.mark(frame, number)
                    frame.looked.append(number)
                    number = after[number]
                    continue
                frame.candidates.append(number)
            if due_ns[number] < limit_ns:
                limit_ns, frame.due = due_ns[number], number
            number = after[number]

    def expand(self, frame: Frame) -> None:
        """List all that may take effect next, but the due one if it has been tried; the most promising last."""
        frame.expanded = True
        tried = not self.looks[frame.due] and self.step(frame.state, *self.asked[frame.due]) is not REFUSED
        writers = [number for number in frame.candidates if not self.looks[number]]
        writers.sort(key=self.due_ns.__getitem__, reverse=True)
        ranked: tuple[list[tuple[int, State]], list[tuple[int, State]]] = ([], [])
        for choice in (*self.open_unknown(frame), *writers):
            if choice == frame.due and tried:
                continue
            for state in self.outcomes(frame.state, choice):
                helps = not tried and self.step(state, *self.asked[frame.due]) is not REFUSED
                ranked[choice == frame.due or helps].append((choice, state))
        frame.choices = ranked[0] + ranked[1]

    def outcomes(self, state: State, choice: int) -> Iterable[State]:
        """The states that an operation may leave; those of an unknown one that changes nothing are left out."""
        if choice < 0:
            function, value = self.unknown_asked[~choice]
            return [after for after in self.effects(state, function, value) if after != state]
        after = self.step(state, *self.asked[choice])
        return () if after is REFUSED else (after,)

    def open_unknown(self, frame: Frame) -> list[int]:
        """Operations of unknown outcome that may take effect now, as complements of their numbers."""
        limit_ns = self.due_ns[frame.due]
        found = []
        for mask, numbers in self.classes:
            taken = (frame.unknown & mask).bit_count()
            # Of those that are alike the earliest goes first: whatever can follow a later one can follow it.
            for number in numbers[taken:] if not self.any_held_up else numbers:
                if self.unknown_invoke[number] > limit_ns:
                    break
                if not frame.unknown >> number & 1 and not self.held_up(number):
                    found.append(~number)
                    break
        return found

    def held_up(self, unknown: int) -> bool:
        """Whether an operation that its process ended before this one has not taken effect yet."""
        return any(self.waits[number] for number in self.unknown_before[unknown])

    def take(self, frame: Frame, choice: int, state: State) -> Frame:
        """The configuration after one more operation."""
        if choice < 0:
            return Frame(frame.lowest, frame.mask, frame.unknown | 1 << ~choice, state)
        self.lift(choice)
        frame.taken = choice
        following = Frame(frame.lowest, frame.mask, frame.unknown, state)
        self.mark(following, choice)
        return following

    def mark(self, frame: Frame, number: int) -> None:
        """Note that a definite operation took effect: `lowest` is the first that did not, `mask` the later ones."""
        mask = frame.mask | 1 << number - frame.lowest
        if mask & 1:
            run = (mask ^ (mask + 1)).bit_length() - 1
            frame.lowest += run
            mask >>= run
        frame.mask = mask

    def leave(self) -> None:
        self.undo_looks(self.frames.pop())

    def undo_looks(self, frame: Frame) -> None:
        for number in reversed(frame.looked):
            self.put_back(number)

    def lift(self, number: int) -> None:
        """Take an operation out of the list of those to come."""
        ahead, after = self.ahead[number], self.after[number]
        self.after[ahead] = after
        self.ahead[after] = ahead
        self.waits[number] = False
        self.foresight.lift(number)

    def put_back(self, number: int) -> None:
        """Undo the last `lift` that is not undone."""
        self.after[self.ahead[number]] = number
        self.ahead[self.after[number]] = number
        self.waits[number] = True
        self.foresight.put_back(number)


def _classes(unknown: Sequence[Placed]) -> list[tuple[int, list[int]]]:
    """Operations of unknown outcome that are alike, in order of invocation: their mask and their numbers."""
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for number in sorted(range(len(unknown)), key=lambda number: unknown[number].invoke_ns):
        alike[unknown[number].function, unknown[number].value].append(number)
    return [(sum(1 << number for number in numbers), numbers) for numbers in alike.values()]


def _question(operation: Operation) -> Question:
    return operation.function, operation.value, operation.result, operation.outcome


def return_ns(operation: Operation) -> int:
    assert operation.return_ns is not None, "a definite operation has returned"
    return operation.return_ns


def _process_order(history: ObjectHistory) -> list[int]:
    """For each definite operation the one that its process ended before, where times alone don't tell; else -1."""
    last: dict[int, int] = {}
    before = []
    for number, operation in enumerate(history.definite):
        former = last.get(operation.process, -1)
        if former >= 0 and not _only_process_tells(history.definite[former], operation, history):
            former = -1
        before.append(former)
        last[operation.process] = number
    return before


def _process_order_of_unknown(history: ObjectHistory) -> list[list[int]]:
    """For each unknown operation the definite ones that its process ended before, where times alone don't tell."""
    by_process: dict[int, list[int]] = defaultdict(list)
    for number, operation in enumerate(history.definite):
        by_process[operation.process].append(number)
    return [
        [
            number
            for number in by_process.get(operation.process, ())
            if _only_process_tells(history.definite[number], operation, history)
        ]
        for operation in history.unknown
    ]


def _only_process_tells(former: Placed, operation: Placed, history: ObjectHistory) -> bool:
    """Whether `former` ended before `operation` in the order of their process, but not by widened times."""
    end_ns, bound_ns = return_ns(former), history.bound_ns
    if end_ns + bound_ns < operation.invoke_ns - bound_ns or end_ns > operation.invoke_ns:
        return False
    return former.invoke_ns < operation.invoke_ns or former.place < operation.place


def search(history: ObjectHistory, model: Model, limits: Limits) -> Finding:
    """Decide whether the operations on one object have a linearization.

    Sound: "not linearizable" only after all orders have been excluded, and "linearizable" only with one in hand.
    Complete but for the limits: beyond them the outcome is None. The problem is NP-complete (Gibbons and Korach, 1997):
    time and memory grow linearly with histories of real systems, and exponentially with the number of writers that
    are open at once in the worst case.
    """
    unknown = model.simplify(history.unknown, history.definite).visible(history.unknown, history.definite)
    rules = model.simplify(unknown, history.definite)
    return Search(history._replace(unknown=unknown), rules).run(rules.initial, limits)
