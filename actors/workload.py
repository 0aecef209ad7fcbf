"""What clients do: which operation comes next, at what pace, and how long they wait for an answer."""

import random
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

from actors.message import Value
from actors.settings import MS, SECOND, DurationNs, Rate, Settings, Share

MAX_CLIENTS = 100_000  # processes; what an open loop needs is its rate times its time-out


class Call(NamedTuple):
    """An operation that a workload wants next."""

    function: str
    key: str
    value: Value


class Phase(Settings, frozen=True):
    """A stretch of a workload with a rate of its own."""

    for_ns: DurationNs
    rate: Rate

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = []
        if self.for_ns <= 0:
            found.append(("for_ns", "a phase must last longer than nothing"))
        if self.rate <= 0:
            found.append(("rate", "a rate must be above 0"))
        return found


class Retry(Settings, frozen=True):
    """When a client asks again before it gives up. The command keeps its number, so a session applies it once."""

    attempts: int = 1  # in all; 1 is no retry
    after_ns: DurationNs = 500 * MS  # without an answer
    backoff: float = 2.0  # each wait is this many times the one before
    jitter: Share = 0.0  # each wait is longer by up to this share of itself, drawn anew

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = []
        if not 1 <= self.attempts <= 100:
            found.append(("attempts", "there are from 1 to 100 attempts"))
        if self.after_ns <= 0:
            found.append(("after_ns", "a wait must be above 0"))
        if not 1 <= self.backoff <= 100:
            found.append(("backoff", "a backoff lies between 1 and 100"))
        return found


class Workload(Settings, frozen=True):
    """What clients do. Concrete workloads add their fields and `call`."""

    model: ClassVar[str] = "kv"  # what a linearizability checker holds its history against
    functions: ClassVar[tuple[str, ...]] = ()

    clients: int = 10  # processes in all, dealt to the regions in turn
    rate: Rate | None = None  # operations a second of the whole workload; without it the loop is closed
    timeout_ns: DurationNs = 2 * SECOND
    retry_pause_ns: DurationNs = 50 * MS  # before asking again when nobody knew the leader
    read_at: Literal["leader", "near"] = "leader"  # whom reads are sent to: near is a server of the client's region
    retry: Retry = Retry()
    phases: tuple[Phase, ...] = ()  # one after another, the last one up to the end; in place of rate

    def call(self, rng: random.Random, unique: int, seen: Mapping[str, Value]) -> Call:
        """The next operation. `unique` is a number never given before in this run; `seen`: the last value by key."""
        raise NotImplementedError

    def problems(self) -> list[tuple[str, str]]:
        """See `Settings.problems`."""
        found = []
        if not 1 <= self.clients <= MAX_CLIENTS:
            found.append(("clients", f"{self.clients:,} clients; there are from 1 to {MAX_CLIENTS:,}"))
        if self.rate is not None and self.rate <= 0:
            found.append(("rate", "a rate must be above 0; leave it out for a closed loop"))
        if self.timeout_ns <= 0:
            found.append(("timeout_ns", "a time-out must be above 0"))
        if self.retry_pause_ns <= 0:
            found.append(("retry_pause_ns", "a pause must be above 0"))
        if self.phases and self.rate is not None:
            found.append(("rate", "the phases say the rate; leave this one out"))
        if self.retry.attempts > 1 and self.retry.after_ns >= self.timeout_ns:
            found.append(("retry.after_ns", "a client that has given up asks no more; it must be below the time-out"))
        return found

    @property
    def is_open(self) -> bool:
        """Whether operations arrive by themselves, whoever may be free."""
        return self.rate is not None or bool(self.phases)

    def rate_at(self, since_ns: int) -> tuple[float, int | None]:
        """The rate at a time after the start, and when the next phase begins (None: never)."""
        end_ns = 0
        for phase in self.phases:
            end_ns += phase.for_ns
            if since_ns < end_ns and phase is not self.phases[-1]:
                return phase.rate, end_ns
        rate = self.phases[-1].rate if self.phases else self.rate
        assert rate is not None
        return rate, None
