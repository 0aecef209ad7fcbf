"""An agenda of tasks: generators that wait for a time, for something to be seen, or for another task's end.

A task yields what it waits for and is given the moment that it had waited for: the planned time, or the time of the
event that made the condition true, so that a late look delays nothing that follows. At one moment heals come first.
"""

import heapq
from collections.abc import Generator
from typing import NamedTuple, TypeAlias

from chaos.conditions import Test
from chaos.sight import Sight


class At(NamedTuple):
    """Wait for a time."""

    time_ns: int
    heals: bool = False  # what happens then is a heal


class Seen(NamedTuple):
    """Wait until a test holds, at most up to a time."""

    test: Test
    deadline_ns: int


class Ended(NamedTuple):
    """Wait until a task of this name has come to an end from now on."""

    name: str


class Done(NamedTuple):
    """Wait until all of these tasks are over."""

    tasks: "tuple[Task, ...]"


Wait: TypeAlias = At | Seen | Ended | Done
Moment = int
"""Of what was waited for, in ns since the start."""
Run: TypeAlias = Generator[Wait, "Moment | None", Moment]
"""Is sent None where a `Seen` timed out; returns the moment of its end."""


class Task:
    """A generator at work."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.wait: Wait | None = None
        self.turn = 0  # counts its waits, so that an entry of an earlier one is known to be stale
        self.over = False


class Agenda:
    """Runs tasks as their time comes."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, bool, int, int, Task, bool]] = []  # (time, no heal, order, turn, task, timed out)
        self._order = 0
        self._watching: list[Task] = []
        self._waiting: list[Task] = []  # for the end of others

    def due_ns(self) -> int | None:
        """When the next task is due."""
        while self._heap and self._stale(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def begin(self, run: Run, at_ns: int = 0) -> Task:
        """Start a task at a time."""
        task = Task(run)
        self._push(task, at_ns, no_heal=True)
        return task

    def advance(self, now_ns: int) -> None:
        """Run all that is due."""
        while (due_ns := self.due_ns()) is not None and due_ns <= now_ns:
            time_ns, _, _, _, task, timed_out = heapq.heappop(self._heap)
            self._resume(task, None if timed_out else time_ns)

    def look(self, sight: Sight) -> None:
        """Something was seen: whoever waited for it is due, at the time at which it happened."""
        for task in list(self._watching):
            assert isinstance(task.wait, Seen)
            if task.wait.test(sight):
                self._watching.remove(task)
                self._push(task, sight.now_ns, no_heal=True)

    def ended(self, name: str, time_ns: int) -> None:
        """Tell whoever waits for a task of this name."""
        for task in list(self._waiting):
            if isinstance(task.wait, Ended) and task.wait.name == name:
                self._waiting.remove(task)
                self._push(task, time_ns, no_heal=True)

    def clear(self) -> None:
        """Nothing happens any more."""
        self._heap.clear()
        self._watching.clear()
        self._waiting.clear()

    def _push(self, task: Task, time_ns: int, *, no_heal: bool, timed_out: bool = False) -> None:
        if not timed_out:
            task.turn += 1
        heapq.heappush(self._heap, (time_ns, no_heal, self._order, task.turn, task, timed_out))
        self._order += 1

    def _stale(self, entry: tuple[int, bool, int, int, Task, bool]) -> bool:
        return entry[3] != entry[4].turn

    def _resume(self, task: Task, moment: Moment | None) -> None:
        """Run a task up to its next wait."""
        if task in self._watching:
            self._watching.remove(task)
        try:
            # A generator that has not begun can be sent nothing but None.
            task.wait = next(task.run) if task.wait is None else task.run.send(moment)
        except StopIteration as stop:
            task.over = True
            self._tell_over(stop.value)
            return
        match task.wait:
            case At(time_ns, heals):
                self._push(task, time_ns, no_heal=not heals)
            case Seen(_, deadline_ns):
                task.turn += 1
                self._watching.append(task)
                self._push(task, deadline_ns, no_heal=True, timed_out=True)
            case Done(tasks) if all(other.over for other in tasks):
                self._push(task, moment or 0, no_heal=True)
            case _:
                self._waiting.append(task)

    def _tell_over(self, time_ns: int) -> None:
        for task in list(self._waiting):
            if isinstance(task.wait, Done) and all(other.over for other in task.wait.tasks):
                self._waiting.remove(task)
                self._push(task, time_ns, no_heal=True)
