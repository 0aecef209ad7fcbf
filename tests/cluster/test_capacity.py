"""CPU, NIC and disk as servers of finite speed, held against the formulas of queueing theory.

A simulated mean is compared with its formula within an interval from batch means: as narrow as the run is long.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from statistics import mean, stdev
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace
from scenario import Script, simulate, small_setup

from actors.draws import exponential
from actors.message import Event, Message, NodeId
from actors.node import Actor
from actors.settings import MS, SECOND, DurationNs, Settings
from cluster.control import Control
from cluster.cpu import CpuModel, size_bytes
from cluster.fabric import ActorSpec, DiskModel, Setup
from cluster.nic import NicModel

BATCHES = 20
T_999 = 3.883  # of Student's t with 19 degrees of freedom, two-sided 99.9%


class Job(Message, frozen=True):
    """A piece of work; its size is what it costs."""

    sent_ns: int
    customer: int = 0
    body: str = ""


class Done(Event, frozen=True):
    """A job has been served."""

    sent_ns: int
    customer: int


class Server(Actor):
    """Sends each job back."""

    def on_job(self, client: NodeId, job: Job) -> None:
        self.node.emit(Done(job.sent_ns, job.customer))

    handlers: ClassVar = {Job: on_job}
    events: ClassVar = (Done,)


def within(found: Sequence[float], expected: float, *, narrow: float) -> bool:
    """Whether a mean is compatible with what is expected; asserts that the run was long enough to tell.

    Args:
        found: one observation after another.
        narrow: how wide the interval may be at most, as a share of what is expected.
    """
    size = len(found) // BATCHES
    means = [mean(found[batch * size : (batch + 1) * size]) for batch in range(BATCHES)]
    half = T_999 * stdev(means) / BATCHES**0.5
    assert half < narrow * expected, f"an interval of +-{half / expected:.0%} says little; run longer"
    return abs(mean(means) - expected) <= half


# open: Poisson arrivals at one server


class ArrivalSettings(Settings, frozen=True):
    """How often jobs come, and how large they are."""

    every_ns: DurationNs
    size: int
    random_size: bool


class Arrivals(Actor):
    """Sends jobs to node 0 at random times."""

    def __init__(self, node: Any, settings: ArrivalSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.gaps, self.sizes = node.random("gaps"), node.random("sizes")

    def start(self) -> None:
        self.node.set_timer("arrival", round(self.settings.every_ns * exponential(self.gaps)))

    def on_arrival(self) -> None:
        self.start()
        size = self.settings.size
        body = "x" * round(size * exponential(self.sizes) if self.settings.random_size else size)
        self.node.send(0, Job(self.node.monotonic_ns(), 0, body))

    timers: ClassVar = {"arrival": on_arrival}


BODY = 4000  # bytes on average: a header of 20 bytes is lost in it


def open_setup(load: float, *, random_size: bool, jobs: int) -> Setup:
    """One server at this load; a job takes 1 us a byte."""
    every_ns = round(BODY * 1000 / load)
    arrivals = ActorSpec(Arrivals, ArrivalSettings(every_ns=every_ns, size=BODY, random_size=random_size))
    setup = small_setup([ActorSpec(Server, Settings())], [arrivals], rtt_ns=0, duration_ns=jobs * every_ns)
    return replace(setup, cpu=CpuModel(message_ns=0, byte_ns=1000))


def sojourns_ns(setup: Setup) -> list[float]:
    """How long each job was in the system, from its arrival to the end of its service."""
    return [entry.time_ns - entry.item.sent_ns for entry in simulate(setup).entries if isinstance(entry.item, Done)]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_random_service_times_give_the_sojourn_of_an_mm1_queue(load: float) -> None:
    """W = S / (1 - rho)."""
    service_ns = BODY * 1000
    assert within(sojourns_ns(open_setup(load, random_size=True, jobs=20_000)), service_ns / (1 - load), narrow=0.3)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_constant_service_times_give_the_sojourn_of_an_md1_queue(load: float) -> None:
    """W = S + rho S / (2 (1 - rho)): Pollaczek and Khinchine's formula without variance."""
    service_ns = size_bytes(Job(1 << 40, 0, "x" * BODY)) * 1000
    load *= service_ns / (BODY * 1000)
    expected_ns = service_ns + load * service_ns / (2 * (1 - load))
    found = sojourns_ns(open_setup(load * BODY * 1000 / service_ns, random_size=False, jobs=30_000))
    assert within(found, expected_ns, narrow=0.2)


def test_an_overloaded_server_works_all_the_time_and_its_queue_grows() -> None:
    """At twice its capacity it serves one job each service time, and the n-th waits n/2 of them."""
    setup = open_setup(2.0, random_size=False, jobs=2000)
    found = sojourns_ns(setup)
    service_ns = size_bytes(Job(1 << 32, 0, "x" * BODY)) * 1000
    assert len(found) == pytest.approx(setup.duration_ns / service_ns, rel=0.02)
    assert found[-1] == pytest.approx(len(found) / 2 * service_ns, rel=0.1)


# closed: customers that think, then are served


class TerminalSettings(Settings, frozen=True):
    """How many customers, and how long each thinks on average."""

    customers: int
    think_ns: DurationNs
    stations: int


class Terminal(Actor):
    """Customers that visit the stations one after another, think, and begin again."""

    def __init__(self, node: Any, settings: TerminalSettings) -> None:
        super().__init__(node, settings)
        self.settings = settings
        self.thoughts, self.sizes = node.random("thoughts"), node.random("sizes")

    def start(self) -> None:
        for customer in range(self.settings.customers):
            self.think(customer)

    def think(self, customer: int) -> None:
        self.node.set_timer(f"think {customer}", round(self.settings.think_ns * exponential(self.thoughts)))

    def visit(self, customer: int, station: NodeId) -> None:
        body = "x" * round(BODY * exponential(self.sizes))
        self.node.send(station, Job(self.node.monotonic_ns(), customer, body))

    def on_answer(self, station: NodeId, answer: "Answer") -> None:
        if station + 1 < self.settings.stations:
            self.visit(answer.customer, station + 1)
        else:
            self.node.emit(Done(0, answer.customer))
            self.think(answer.customer)

    timers: ClassVar = {
        f"think {customer}": partial(lambda number, terminal: terminal.visit(number, 0), customer)
        for customer in range(40)
    }
    events: ClassVar = (Done,)


class Answer(Message, frozen=True):
    """A job is done."""

    customer: int


class Station(Actor):
    """Serves jobs and says so."""

    def on_job(self, terminal: NodeId, job: Job) -> None:
        self.node.send(terminal, Answer(job.customer))

    handlers: ClassVar = {Job: on_job}


Terminal.handlers = {Answer: Terminal.on_answer}


def mean_value_analysis(customers: int, stations: int, think: float, service: float) -> float:
    """Jobs a unit of time in a closed network of equal exponential stations and a delay (Reiser, Lavenberg, 1980)."""
    queue, throughput = 0.0, 0.0
    for present in range(1, customers + 1):
        response = service * (1 + queue)
        throughput = present / (think + stations * response)
        queue = throughput * response
    return throughput


@pytest.mark.parametrize(("customers", "stations"), [(1, 1), (6, 1), (25, 1), (3, 2), (12, 2)])
def test_a_closed_network_has_the_throughput_of_mean_value_analysis(customers: int, stations: int) -> None:
    service_ns, think_ns = BODY * 1000, 5 * BODY * 1000
    cycle_ns = 1 / mean_value_analysis(customers, stations, think_ns, service_ns)
    settings = TerminalSettings(customers=customers, think_ns=think_ns, stations=stations)
    setup = small_setup(
        [ActorSpec(Station, Settings())] * stations,
        [ActorSpec(Terminal, settings)],
        rtt_ns=0,
        duration_ns=round(8000 * cycle_ns),
    )
    run = simulate(replace(setup, cpu=CpuModel(message_ns=0, byte_ns=1000)))
    times = [entry.time_ns for entry in run.entries if isinstance(entry.item, Done)]
    gaps = [float(later - earlier) for earlier, later in pairwise(times)]
    assert within(gaps, cycle_ns, narrow=0.15)


# what waits for a CPU


class Clerk(Actor):
    """Serves jobs, and tells when its timers fire."""

    def start(self) -> None:
        self.node.set_timer("alarm", 12 * MS)

    def on_job(self, _: NodeId, job: Job) -> None:
        self.node.emit(Done(self.node.monotonic_ns(), job.customer))
        if job.customer == 1:
            self.node.set_timer("batch", 0)

    def on_alarm(self) -> None:
        self.node.emit(Done(self.node.monotonic_ns(), 100))

    def on_batch(self) -> None:
        self.node.emit(Done(self.node.monotonic_ns(), 200))

    handlers: ClassVar = {Job: on_job}
    timers: ClassVar = {"alarm": on_alarm, "batch": on_batch}
    events: ClassVar = (Done,)


class Burst(Actor):
    """Sends four jobs at 1 ms."""

    def start(self) -> None:
        self.node.set_timer("go", MS)

    def on_go(self) -> None:
        for number in range(4):
            self.node.send(0, Job(0, number, "x" * 1200))

    timers: ClassVar = {"go": on_go}


def clerk(director: Script | None = None, **models: Any) -> list[tuple[int, int]]:
    """(ms, job or timer) of a clerk that takes 10 ms a job."""
    setup = small_setup([ActorSpec(Clerk, Settings())], [ActorSpec(Burst, Settings())], rtt_ns=0, fsync_ns=0)
    run = simulate(replace(setup, **(models or {"cpu": CpuModel(message_ns=10 * MS)})), director)
    return [(entry.time_ns // MS, entry.item.customer) for entry in run.entries if isinstance(entry.item, Done)]


def test_jobs_wait_in_line_and_a_timer_that_is_due_waits_behind_those_that_came_before_it() -> None:
    assert clerk() == [(11, 0), (21, 1), (31, 2), (41, 3), (41, 100), (41, 200)]


def test_a_paused_server_serves_nothing_and_begins_anew_with_the_first_in_line() -> None:
    healing: list[Any] = []

    def pause(control: Control) -> None:
        healing.append(control.pause([0]))

    script = Script([(15 * MS, pause), (100 * MS, lambda _: healing.pop()())])
    assert clerk(script) == [(11, 0), (110, 1), (120, 2), (130, 3), (130, 100), (130, 200)]


def test_a_pause_shorter_than_a_job_delays_nothing() -> None:
    healing: list[Any] = []
    script = Script([
        (15 * MS, lambda control: healing.append(control.pause([0]))),
        (17 * MS, lambda _: healing.pop()()),
    ])  # fmt: skip
    assert clerk(script) == clerk()


def test_what_waits_for_a_cpu_is_lost_with_its_node() -> None:
    healing: list[Any] = []
    script = Script([
        (15 * MS, lambda control: healing.append(control.crash([0]))),
        (18 * MS, lambda _: healing.pop()()),
    ])  # fmt: skip
    assert clerk(script) == [(11, 0), (30, 100)]


def test_clients_have_no_cpu_to_wait_for() -> None:
    setup = small_setup([ActorSpec(Sender, Settings())], [ActorSpec(Server, Settings())], rtt_ns=0)
    run = simulate(replace(setup, cpu=CpuModel(message_ns=10 * MS)))
    assert [entry.time_ns // MS for entry in run.entries if isinstance(entry.item, Done)] == [1, 1, 1, 1]


# NIC and disk


class Sender(Burst):
    """A server that sends four jobs of about 1,200 bytes at once to a client."""

    def on_go(self) -> None:
        for number in range(4):
            self.node.send(1, Job(0, number, "x" * 1200))

    timers: ClassVar = {"go": on_go}


def test_messages_leave_a_card_one_after_another_at_its_bandwidth() -> None:
    setup = small_setup([ActorSpec(Sender, Settings())], [ActorSpec(Server, Settings())], rtt_ns=0)
    run = simulate(replace(setup, nic=NicModel(bandwidth_bits_s=1_000_000)))
    times_ns = [entry.time_ns for entry in run.entries if isinstance(entry.item, Done)]
    transfer_ns = size_bytes(Job(0, 0, "x" * 1200)) * 8 * 1000
    assert times_ns == [MS + (number + 1) * transfer_ns for number in range(4)]


class Writer(Actor):
    """Saves 1,000 bytes a millisecond for 100 ms, and tells when each is durable."""

    def start(self) -> None:
        self.count = 0
        self.node.set_timer("write", MS)

    def on_write(self) -> None:
        self.count += 1
        self.node.append("log", ["x" * 1000])
        self.node.send(0, Job(self.node.monotonic_ns(), self.count))
        if self.count < 100:
            self.node.set_timer("write", MS)

    def on_job(self, _: NodeId, job: Job) -> None:
        self.node.emit(Done(job.sent_ns, customer=self.node.monotonic_ns()))  # the event itself waits for later saves

    handlers: ClassVar = {Job: on_job}
    timers: ClassVar = {"write": on_write}
    events: ClassVar = (Done,)


def written(disk: DiskModel) -> list[tuple[int, int]]:
    """(when durable, when asked for) of each record, in ns."""
    run = simulate(replace(small_setup([ActorSpec(Writer, Settings())]), disk=disk))
    return [(entry.item.customer, entry.item.sent_ns) for entry in run.entries if isinstance(entry.item, Done)]


def test_records_that_gather_during_a_sync_share_the_next() -> None:
    """An fsync of 10 ms: 1 record with the first sync, about 10 with each of the others."""
    ends = [end_ns for end_ns, _ in written(DiskModel(fsync_ns=10 * MS))]
    shared = [ends.count(end_ns) for end_ns in sorted(set(ends))]
    assert shared[0] == 1
    assert set(shared[1:-1]) <= {9, 10, 11}
    assert sum(shared) == 100


def test_a_sync_takes_longer_by_what_it_writes() -> None:
    """At 200,000 bytes a second a record takes 5 ms; the disk writes without a pause until all is durable."""
    found = written(DiskModel(fsync_ns=0, throughput_bytes_s=200_000))
    assert found[0][0] == pytest.approx(6 * MS, rel=0.02)
    assert found[-1][0] == pytest.approx(SECOND / 2, rel=0.05)


def test_a_disk_without_a_throughput_writes_any_amount_in_one_fsync() -> None:
    assert {end_ns - asked_ns for end_ns, asked_ns in written(DiskModel(fsync_ns=MS))} == {MS}
